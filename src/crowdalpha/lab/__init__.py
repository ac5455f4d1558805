"""The mechanism lab: what a rule would pay, and whether it can be gamed, by the functions that score and settle."""
