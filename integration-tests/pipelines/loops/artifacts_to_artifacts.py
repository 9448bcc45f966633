"""A loop over artifacts, at most one at a time, that makes an artifact of each; over none at all it makes none."""
from components import load_all, read, save
from kfp import dsl


@dsl.pipeline(name="inner")
def inner(files: dsl.Input[list[dsl.Dataset]]) -> list[dsl.Dataset]:
    with dsl.ParallelFor(files, parallelism=1) as file:
        marked = save(text=f"<{read(file=file).output}>")
    return dsl.Collected(marked.outputs["file"])


@dsl.pipeline(name="loops-artifacts-to-artifacts")
def pipeline(words: list):
    with dsl.ParallelFor(words) as word:
        saved = save(text=word)
    load_all(files=inner(files=dsl.Collected(saved.outputs["file"])).output)
