"""If and Else: one of them runs, and what waits for both together runs as well."""
from components import say
from kfp import dsl


@dsl.pipeline(name="conditions-if-else")
def pipeline(flip: str):
    first = say(text=flip)
    with dsl.If(first.output == "heads"):
        say(text="heads")
    with dsl.Else():
        say(text="tails")
