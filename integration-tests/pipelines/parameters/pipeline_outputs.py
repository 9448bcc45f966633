"""Outputs of the run: those of a task."""
from typing import NamedTuple

from components import add, say
from kfp import dsl


@dsl.pipeline(name="parameters-pipeline-outputs")
def pipeline(a: int = 1) -> NamedTuple("Outputs", sum=int, word=str):
    outputs = NamedTuple("Outputs", sum=int, word=str)
    first = add(a=a, b=2)
    return outputs(sum=add(a=first.output, b=3).output, word=say(text="done").output)
