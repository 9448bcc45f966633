"""A task that waits for two which wait for the same one, and for that one as well."""
from components import nap, pair, say
from kfp import dsl


@dsl.pipeline(name="ordering-diamond")
def pipeline():
    top = say(text="top")
    left = say(text=f"left of {top.output}")
    right = say(text=f"right of {top.output}").after(nap(seconds="0.3").after(top))
    pair(first=left.output, second=right.output).after(top)
