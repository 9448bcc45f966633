"""The exit task runs after all of the body, and is told that it is complete."""
from components import report, say
from kfp import dsl


@dsl.pipeline(name="exit-handlers-body-succeeds")
def pipeline():
    with dsl.ExitHandler(report()):
        say(text=say(text="one").output)
