"""A task with a cache key of its own takes the outputs of an earlier one with the same key, whatever its inputs."""
from components import say
from kfp import dsl


@dsl.pipeline(name="caching-custom-key")
def pipeline(text: str):
    say(text=text).set_caching_options(True, cache_key="key")
    say(text=text).set_caching_options(True)
