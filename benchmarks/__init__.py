"""How fast the scores are, as ratios against a peer in the same run; `python -m benchmarks` writes the table."""
