"""What the program matrix.py is made of: rules, rows, callers, objects, an oracle, and ways to call."""
