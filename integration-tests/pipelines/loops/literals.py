"""Loops over literal lists of texts, of numbers, and of lists."""
from components import count, length, say
from kfp import dsl


@dsl.pipeline(name="loops-literals")
def pipeline():
    with dsl.ParallelFor(["a", "it's \"b\"", ""]) as text:
        say(text=text)
    with dsl.ParallelFor([1, 2]) as number:
        count(number=number)
    with dsl.ParallelFor([[1, "a"], []]) as items:
        length(items=items)
