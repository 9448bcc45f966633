"""What comes after a lone If that was false is skipped, and so is what comes after that; the run succeeds."""
from components import say
from kfp import dsl


@dsl.pipeline(name="conditions-skipped-upstream")
def pipeline(flip: str = "tails"):
    with dsl.If(flip == "heads"):
        say(text="inside")
    second = say(text="after")
    say(text="after that").after(second)
    say(text="beside")


def edit(spec):
    """`after` of the SDK takes no group of tasks but an exit handler."""
    spec["root"]["dag"]["tasks"]["say-2"]["dependentTasks"] = ["condition-1"]
