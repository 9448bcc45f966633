"""Outputs of a pipeline that runs in a loop are collected too."""
from components import length, say
from kfp import dsl


@dsl.pipeline(name="inner")
def inner(text: str) -> str:
    return say(text=f"<{say(text=text).output}>").output


@dsl.pipeline(name="collected-from-pipelines")
def pipeline():
    with dsl.ParallelFor(["x", "y"]) as word:
        called = inner(text=word)
    length(items=dsl.Collected(called.output))
