"""The engine played on histories: what a tournament would have paid."""
