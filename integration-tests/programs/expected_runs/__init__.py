"""Pipelines with what their runs must come to, and how the two are compared."""
