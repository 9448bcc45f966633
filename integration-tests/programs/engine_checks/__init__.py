"""What the program `engine` holds runs against: what is written beside a pipeline, and what its IR alone says."""
