"""Clients: what people and programs ask a server with."""
