"""What people are told while they do not look: what is to be told, and how it is brought to them, at least once."""
