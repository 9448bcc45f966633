"""A task like one that has run takes its outputs; one with other inputs does not, nor one that does not want to."""
from components import read, say, write
from kfp import dsl


@dsl.pipeline(name="caching-within-run")
def pipeline():
    first = say(text="same").set_caching_options(True)
    say(text="same").set_caching_options(True).after(first)
    say(text="other").set_caching_options(True).after(first)
    say(text="same").set_caching_options(False).after(first)
    one = write(text="file").set_caching_options(True)
    two = write(text="file").set_caching_options(True).after(one)
    read(file=two.output)
