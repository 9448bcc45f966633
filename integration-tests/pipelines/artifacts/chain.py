"""An artifact that goes through a chain of containers, its content as it is, and out of the run."""
from components import read, write
from kfp import dsl


@dsl.pipeline(name="artifacts-chain")
def pipeline(text: str) -> dsl.Dataset:
    first = write(text=text)
    again = write(text=read(file=first.output).output)
    return again.output
