"""The exit task runs after a body that failed, is told so, and does not hide it."""
from components import fail, report, say
from kfp import dsl


@dsl.pipeline(name="exit-handlers-body-fails")
def pipeline():
    with dsl.ExitHandler(report(), name="careful"):
        say(text="never").after(fail())
