"""Both strategies by their names, after the same tasks: one wants that they succeeded, the other that they have ended."""
from components import say, sh
from kfp import dsl


@dsl.container_component
def fail_late():
    return sh("sleep 0.5; exit 3")


@dsl.pipeline(name="ordering-strategies")
def pipeline():
    good, bad = say(text="good"), fail_late()
    say(text="if both succeeded").after(good, bad)
    say(text="when both have ended").after(good, bad).ignore_upstream_failure()
    say(text="if that succeeded").after(good)


def edit(spec):
    """The SDK leaves out the strategy that is the default."""
    tasks = spec["root"]["dag"]["tasks"]
    tasks["say-2"]["triggerPolicy"] = {"strategy": "ALL_UPSTREAM_TASKS_SUCCEEDED"}
    tasks["say-4"]["triggerPolicy"] = {"strategy": "ALL_UPSTREAM_TASKS_SUCCEEDED"}
