"""What the programs about schedules are made of: plans, what has come of them, and what that must be."""
