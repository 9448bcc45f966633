"""What the program audit_trail.py is made of: what a trail has in it, and what happens when it cannot be written."""
