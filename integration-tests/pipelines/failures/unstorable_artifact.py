"""A task that leaves something as its artifact which is no file: it cannot be kept, and the task fails."""
from components import sh
from kfp import dsl


@dsl.container_component
def pipe(file: dsl.Output[dsl.Dataset]):
    return sh('mkfifo "$1"', file.path)


@dsl.pipeline(name="failures-unstorable-artifact")
def pipeline():
    pipe()
