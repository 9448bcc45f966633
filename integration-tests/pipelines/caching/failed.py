"""What failed is not taken from the cache: the second run fails again, by itself."""
from components import fail, say
from kfp import dsl


@dsl.pipeline(name="caching-failed")
def pipeline():
    first = say(text="fine").set_caching_options(True)
    fail().set_caching_options(True).after(first)
