"""Defaults: of the run, of a component, of a Python function; what is given wins."""
from typing import Optional

from components import IMAGE, sh
from kfp import dsl


@dsl.component(base_image=IMAGE)
def show(a: int = 1, b: str = "two", c: Optional[str] = None, d: Optional[int] = 4) -> str:
    return f"{a!r} {b!r} {c!r} {d!r}"


@dsl.container_component
def words(text: dsl.OutputPath(str), a: int = 1, b: str = "two"):
    return sh('printf "%s %s" "$2" "$3" > "$1"', text, a, b)


@dsl.pipeline(name="optional-defaults")
def pipeline(a: int = 10, b: str = "ten"):
    show()
    show(a=a, b=b, c="three", d=40)
    words()
    words(a=a, b=b)
