"""An exit handler in a pipeline in the body of another one: each exit task is told of its own body."""
from components import fail, report
from kfp import dsl


@dsl.pipeline(name="inner")
def inner():
    with dsl.ExitHandler(report()):
        fail()


@dsl.pipeline(name="exit-handlers-nested")
def pipeline():
    with dsl.ExitHandler(report()):
        inner()
