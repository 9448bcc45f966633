"""Collected artifacts are a list in the order of the items, for a task and for the run."""
from components import load_all, save
from kfp import dsl


@dsl.pipeline(name="collected-artifacts")
def pipeline() -> list[dsl.Dataset]:
    with dsl.ParallelFor(["c", "a", "b"]) as word:
        saved = save(text=word)
    load_all(files=dsl.Collected(saved.outputs["file"]))
    return dsl.Collected(saved.outputs["file"])
