"""Arguments that are there if an input is, and others if not; within others that are put together, too."""
from typing import Optional

from components import sh
from kfp import dsl


@dsl.container_component
def words(text: dsl.OutputPath(str), name: Optional[str] = None):
    return sh(
        'out=$1; shift; printf "%s," "$@" > "$out"', text,
        dsl.IfPresentPlaceholder(input_name="name", then=["--name", name], else_=["--nameless"]),
        dsl.ConcatPlaceholder(["<", dsl.IfPresentPlaceholder(input_name="name", then=name, else_="nobody"), ">"]),
        "end")


@dsl.pipeline(name="containers-if-present")
def pipeline(name: Optional[str] = None):
    words(name="Jane")
    words()
    words(name=name)
