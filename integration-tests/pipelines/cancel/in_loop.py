"""A run that is terminated within a loop: the iteration that runs fails, no other starts, and the groups around fail."""
from components import nap, say
from kfp import dsl


@dsl.pipeline(name="inner")
def inner():
    with dsl.ParallelFor(["60", "61"], parallelism=1) as seconds:
        say(text="never").after(nap(seconds=seconds))


@dsl.pipeline(name="cancel-in-loop")
def pipeline():
    inner()
