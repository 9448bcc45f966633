"""Clients whose every request is noted, and what has to be there afterwards."""
