"""An optional input through two pipelines: given at the top, by the one in between, or by nobody."""
from typing import Optional

from components import IMAGE
from kfp import dsl

UNSTABLE = "The SDK numbers components of pipelines in pipelines in the order of a set."


@dsl.component(base_image=IMAGE)
def show(text: Optional[str] = None, by: str = "nobody") -> str:
    return f"{text!r} by {by}"


@dsl.pipeline(name="third")
def third(text: Optional[str] = None, by: str = "third") -> str:
    return show(text=text, by=by).output


@dsl.pipeline(name="second")
def second(text: Optional[str] = None) -> str:
    third(text="fixed", by="second")
    return third(text=text).output


@dsl.pipeline(name="optional-deep")
def pipeline(text: Optional[str] = None) -> str:
    return second(text=text).output
