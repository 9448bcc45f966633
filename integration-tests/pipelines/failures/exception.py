"""An exception in Python."""
from components import IMAGE
from kfp import dsl


@dsl.component(base_image=IMAGE)
def work() -> str:
    raise ValueError("no wind")


@dsl.pipeline(name="failures-exception")
def pipeline():
    work()
