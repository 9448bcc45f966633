"""What starts and stops the things that the programs talk to. Standard library only."""
