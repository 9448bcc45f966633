"""An If in a loop, over the item."""
from components import say
from kfp import dsl


@dsl.pipeline(name="loops-conditions")
def pipeline():
    with dsl.ParallelFor([1, 2, 3]) as number:
        with dsl.If(number > 1):
            say(text=f"large {number}")
        with dsl.Else():
            say(text=f"small {number}")
