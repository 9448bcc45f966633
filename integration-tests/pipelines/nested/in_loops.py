"""A pipeline in a loop, which has a condition inside; its outputs go to a task of the same iteration."""
from components import say
from kfp import dsl


@dsl.pipeline(name="inner")
def inner(text: str) -> str:
    with dsl.If(text == "a"):
        one = say(text="first")
    with dsl.Else():
        two = say(text="later")
    return dsl.OneOf(one.output, two.output)


@dsl.pipeline(name="nested-in-loops")
def pipeline():
    with dsl.ParallelFor(["a", "b"]) as word:
        called = inner(text=word)
        say(text=f"{word} {called.output}")
