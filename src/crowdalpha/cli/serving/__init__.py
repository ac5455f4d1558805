"""The commands of a server: the server itself, and what only its operator may do."""
