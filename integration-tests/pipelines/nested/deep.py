"""Pipelines three deep, with the same names of tasks in each."""
from components import say
from kfp import dsl

UNSTABLE = "The SDK numbers components of pipelines in pipelines in the order of a set."


@dsl.pipeline(name="third")
def third(text: str) -> str:
    return say(text=f"{text}3").output


@dsl.pipeline(name="second")
def second(text: str) -> str:
    return third(text=say(text=f"{text}2").output).output


@dsl.pipeline(name="nested-deep")
def pipeline(text: str = "0") -> str:
    return second(text=say(text=f"{text}1").output).output
