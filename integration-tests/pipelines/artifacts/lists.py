"""A list of artifacts as one input: gathered from a loop, read in order."""
from components import load_all, save
from kfp import dsl


@dsl.pipeline(name="artifacts-lists")
def pipeline():
    with dsl.ParallelFor(["one", "two", "three"]) as word:
        saved = save(text=word)
    load_all(files=dsl.Collected(saved.outputs["file"]))
