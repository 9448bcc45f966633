"""What the program timing.py is made of: probes that ask and take the time, and how two samples of times compare."""
