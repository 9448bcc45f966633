"""Iterations in which the producer was not run are left out of what is collected."""
from components import length, say
from kfp import dsl


@dsl.pipeline(name="collected-skipped")
def pipeline():
    with dsl.ParallelFor([1, 2, 3]) as number:
        with dsl.If(number != 2):
            said = say(text=f"{number}")
    length(items=dsl.Collected(said.output))
