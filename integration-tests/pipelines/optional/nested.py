"""Optional inputs of a pipeline in a pipeline: given, left out with a default, left out without one."""
from typing import Optional

from components import IMAGE
from kfp import dsl


@dsl.component(base_image=IMAGE)
def show(text: Optional[str] = None, number: Optional[int] = None) -> str:
    return f"{text!r} {number!r}"


@dsl.pipeline(name="inner")
def inner(text: Optional[str] = None, number: int = 5) -> str:
    return show(text=text, number=number).output


@dsl.pipeline(name="optional-nested")
def pipeline(text: Optional[str] = None):
    inner()
    inner(text="given", number=6)
    inner(text=text)
