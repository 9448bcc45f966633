"""A limit for a loop, and another one for the loop in it, which holds in each iteration by itself."""
from components import nap, say
from kfp import dsl


@dsl.pipeline(name="loops-nested-parallelism")
def pipeline():
    with dsl.ParallelFor(["a", "b"], parallelism=1) as outer:
        with dsl.ParallelFor([1, 2, 3], parallelism=2):
            say(text=outer).after(nap(seconds="0.2"))
