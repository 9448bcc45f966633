"""An If in an If in an Else, over outputs of tasks outside and inside."""
from components import say
from kfp import dsl


@dsl.pipeline(name="conditions-nested-ifs")
def pipeline(a: str, b: str):
    outer = say(text=a)
    with dsl.If(outer.output == "x"):
        say(text="never")
    with dsl.Else():
        inner = say(text=b)
        with dsl.If(inner.output == "y"):
            with dsl.If(outer.output == "z"):
                say(text="both")
            with dsl.Else():
                say(text="not here")
