"""A parameter without a default that the run is not given: there is no such run."""
from components import say
from kfp import dsl


@dsl.pipeline(name="failures-required-parameter")
def pipeline(text: str):
    say(text=text)
