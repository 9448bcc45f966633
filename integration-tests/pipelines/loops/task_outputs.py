"""A loop over a list that a task puts out, and over a text that holds one."""
from components import listing, say
from kfp import dsl


@dsl.pipeline(name="loops-task-outputs")
def pipeline():
    with dsl.ParallelFor(listing(text='["x", "y"]').output) as word:
        say(text=word)


