"""The exit task is a pipeline."""
from components import fail, say
from kfp import dsl


@dsl.pipeline(name="cleanup")
def cleanup(text: str = "clean"):
    say(text=say(text=text).output)


@dsl.pipeline(name="exit-handlers-pipelines")
def pipeline():
    with dsl.ExitHandler(cleanup()):
        fail()
