"""What answers each field: a question to the service, and the names that the schema has for the answer."""
