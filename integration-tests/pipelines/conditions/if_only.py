"""A lone If: what is in it runs or not, what waits for it is skipped with it, the rest goes on."""
from components import say
from kfp import dsl


@dsl.pipeline(name="conditions-if-only")
def pipeline(flip: str):
    first = say(text=flip)
    with dsl.If(first.output == "heads", name="heads"):
        inside = say(text="inside")
        say(text=f"after {inside.output}")
    with dsl.If(first.output != "heads"):
        say(text="other")
