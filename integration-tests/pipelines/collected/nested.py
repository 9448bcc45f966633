"""Outputs of a loop in a loop are collected into one flat list, the outer loop's order first."""
from components import length, pair
from kfp import dsl


@dsl.pipeline(name="collected-nested")
def pipeline():
    with dsl.ParallelFor(["b", "a"]) as outer:
        with dsl.ParallelFor(["2", "1"]) as inner:
            said = pair(first=outer, second=inner)
    length(items=dsl.Collected(said.output))
