"""The same key for tasks of two components: neither takes the outputs of the other. Several runs, so several hits."""
from components import pair, say
from kfp import dsl


@dsl.pipeline(name="caching-keys-of-components")
def pipeline(text: str, key: str = "unused"):
    say(text=text).set_caching_options(True, cache_key="shared")
    pair(first=text, second="!").set_caching_options(True, cache_key="shared")
    say(text=text).set_caching_options(False, cache_key="shared")
