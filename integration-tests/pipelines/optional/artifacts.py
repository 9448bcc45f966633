"""Optional artifacts: given, and left out, also through a pipeline in a pipeline."""
from typing import Optional

from components import IMAGE, write
from kfp import dsl


@dsl.component(base_image=IMAGE)
def show(file: Optional[dsl.Input[dsl.Dataset]] = None) -> str:
    return "none" if file is None else open(file.path).read()


@dsl.pipeline(name="inner")
def inner(file: Optional[dsl.Input[dsl.Dataset]] = None) -> str:
    return show(file=file).output


@dsl.pipeline(name="optional-artifacts")
def pipeline():
    written = write(text="ahoy")
    show()
    show(file=written.output)
    inner()
    inner(file=written.output)
