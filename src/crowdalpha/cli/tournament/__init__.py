"""The commands of a tournament: one module a verb, each a few lines around the engine's method of that name."""
