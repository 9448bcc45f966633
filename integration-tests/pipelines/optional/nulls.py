"""Optional parameters of the run without a default: left out, they are left out of the task too."""
from typing import Optional

from components import IMAGE
from kfp import dsl


@dsl.component(base_image=IMAGE)
def show(text: Optional[str] = None, integer: Optional[int] = None, items: Optional[list] = None) -> str:
    return f"{text!r} {integer!r} {items!r}"


@dsl.pipeline(name="optional-nulls")
def pipeline(text: Optional[str] = None, integer: Optional[int] = None, items: Optional[list] = None):
    show(text=text, integer=integer, items=items)
