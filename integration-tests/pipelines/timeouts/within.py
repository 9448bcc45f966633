"""A task that takes less than it may succeeds."""
from components import say
from kfp import dsl, kubernetes


@dsl.pipeline(name="timeouts-within")
def pipeline():
    kubernetes.set_timeout(say(text="in time"), seconds=30)
