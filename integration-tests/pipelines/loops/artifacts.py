"""A loop over a list of artifacts, and the texts of all of them afterwards."""
from components import length, read, save
from kfp import dsl


@dsl.pipeline(name="inner")
def inner(files: dsl.Input[list[dsl.Dataset]]):
    with dsl.ParallelFor(files) as file:
        text = read(file=file)
    length(items=dsl.Collected(text.output))


@dsl.pipeline(name="loops-artifacts")
def pipeline():
    with dsl.ParallelFor(["one", "two"]) as word:
        saved = save(text=word)
    inner(files=dsl.Collected(saved.outputs["file"]))
