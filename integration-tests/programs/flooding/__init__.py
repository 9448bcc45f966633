"""What the program flood.py is made of: callers who have no login, many of them at once."""
