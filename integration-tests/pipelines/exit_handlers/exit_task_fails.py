"""An exit task that fails makes the run fail, although the body succeeded."""
from components import fail, say
from kfp import dsl


@dsl.pipeline(name="exit-handlers-exit-task-fails")
def pipeline():
    with dsl.ExitHandler(fail(code=4)):
        say(text="body")
