"""A second run takes the outputs of the first, unless a parameter differs or the cache is not wanted."""
from components import say, write
from kfp import dsl


@dsl.pipeline(name="caching-between-runs")
def pipeline(text: str):
    say(text=text).set_caching_options(True)
    write(text="fixed").set_caching_options(True)
    say(text="anew").set_caching_options(False)
