"""A command that ends with another code than 0 fails, and its code is said."""
from components import fail, say
from kfp import dsl


@dsl.pipeline(name="failures-exit-code")
def pipeline():
    say(text="never").after(fail(code=42))
