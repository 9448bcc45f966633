"""What the program regressions.py is made of: defects that others have had, each tried here, by theme."""
