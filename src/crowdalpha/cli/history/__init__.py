"""Commands for whole histories: pack them, score them again."""
