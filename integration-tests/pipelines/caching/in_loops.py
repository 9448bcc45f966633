"""Each iteration has its own place in the cache, and so has what takes an artifact of an earlier run."""
from components import read, save
from kfp import dsl


@dsl.pipeline(name="caching-in-loops")
def pipeline(words: list):
    with dsl.ParallelFor(words) as word:
        saved = save(text=word).set_caching_options(True)
        read(file=saved.outputs["file"]).set_caching_options(True)
