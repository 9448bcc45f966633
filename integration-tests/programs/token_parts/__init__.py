"""What the program tokens.py is made of: how far tokens reach, and what their end ends."""
