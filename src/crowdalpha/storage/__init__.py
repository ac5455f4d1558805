"""Where a tournament is kept, and the door that files come in by."""
