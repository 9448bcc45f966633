"""Artifacts of a loop in a loop are one flat list too, and so are those of three loops."""
from components import load_all, pair, save
from kfp import dsl


@dsl.pipeline(name="collected-nested-artifacts")
def pipeline() -> list[dsl.Dataset]:
    with dsl.ParallelFor(["b", "a"]) as outer:
        with dsl.ParallelFor(["2", "1"]) as inner:
            saved = save(text=pair(first=outer, second=inner).output)
    load_all(files=dsl.Collected(saved.outputs["file"]))
    return dsl.Collected(saved.outputs["file"])
