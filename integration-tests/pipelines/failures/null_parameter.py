"""Nothing, where a task in the middle of a run needs something."""
from typing import Optional

from components import IMAGE
from kfp import dsl


@dsl.component(base_image=IMAGE)
def show(text: str) -> str:
    return text


@dsl.pipeline(name="inner")
def inner(text: Optional[str] = None) -> str:
    return show(text=text).output


@dsl.pipeline(name="failures-null-parameter")
def pipeline():
    inner()

