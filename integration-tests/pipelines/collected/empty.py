"""Nothing is collected from an empty loop, and that is an empty list, of parameters and of artifacts."""
from components import length, load_all, save, say
from kfp import dsl


@dsl.pipeline(name="collected-empty")
def pipeline(words: list = []) -> list:
    with dsl.ParallelFor(words) as word:
        said = say(text=word)
        saved = save(text=word)
    length(items=dsl.Collected(said.output))
    load_all(files=dsl.Collected(saved.outputs["file"]))
    return dsl.Collected(said.output)
