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
    say(text="after both")


def edit(spec):
    """`after` of the SDK takes no group of tasks but an exit handler."""
    spec["root"]["dag"]["tasks"]["say-4"]["dependentTasks"] = ["condition-branches-1"]
