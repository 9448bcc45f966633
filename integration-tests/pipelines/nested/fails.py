"""A pipeline in a pipeline fails if a task of it does; what waits for it is skipped."""
from components import fail, say
from kfp import dsl


@dsl.pipeline(name="inner")
def inner() -> str:
    failing = fail()
    return say(text="never").after(failing).output


@dsl.pipeline(name="nested-fails")
def pipeline():
    say(text=inner().output)
