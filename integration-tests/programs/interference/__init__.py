"""What the program non_interference.py is made of: moves of a tenant, worlds to play them in, and how answers compare."""
