"""What the program scenarios.py is made of: files of steps, the steps, what they expect, and what they cover."""
