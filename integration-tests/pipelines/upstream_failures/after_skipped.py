"""A task that does not mind runs after one that was skipped, and after one that succeeded."""
from components import say
from kfp import dsl


@dsl.pipeline(name="upstream-failures-after-skipped")
def pipeline(flip: str = "tails"):
    with dsl.If(flip == "heads"):
        say(text="inside")
    say(text="after all").ignore_upstream_failure()
    say(text="later").after(say(text="sooner")).ignore_upstream_failure()


def edit(spec):
    """`after` of the SDK takes no group of tasks but an exit handler."""
    spec["root"]["dag"]["tasks"]["say-2"]["dependentTasks"] = ["condition-1"]
