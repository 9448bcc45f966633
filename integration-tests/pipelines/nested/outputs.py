"""A pipeline in a pipeline takes parameters and artifacts, and puts out both."""
from typing import NamedTuple

from components import read, write
from kfp import dsl


@dsl.pipeline(name="inner")
def inner(text: str, file: dsl.Input[dsl.Dataset]) -> NamedTuple("Outputs", text=str, file=dsl.Dataset):
    outputs = NamedTuple("Outputs", text=str, file=dsl.Dataset)
    return outputs(text=read(file=file).output, file=write(text=text).output)


@dsl.pipeline(name="nested-outputs")
def pipeline() -> str:
    called = inner(text="inside", file=write(text="outside").output)
    read(file=called.outputs["file"])
    return called.outputs["text"]
