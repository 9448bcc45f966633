"""A process that is ended by a signal."""
from components import sh
from kfp import dsl


@dsl.container_component
def kill():
    return sh("kill -KILL $$")


@dsl.pipeline(name="failures-signal")
def pipeline():
    kill()
