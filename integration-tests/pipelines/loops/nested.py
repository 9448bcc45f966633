"""A loop in a loop, over literals and over a field of the outer item."""
from components import pair, say
from kfp import dsl


@dsl.pipeline(name="loops-nested")
def pipeline():
    with dsl.ParallelFor(["a", "b"]) as outer:
        with dsl.ParallelFor(["1", "2"]) as inner:
            pair(first=outer, second=inner)
    with dsl.ParallelFor([{"title": "c", "parts": ["x", "y"]}, {"title": "d", "parts": []}]) as outer:
        with dsl.ParallelFor(outer.parts) as inner:
            say(text=inner)
