"""A task that leaves no file for an output parameter fails, and which one it was is said."""
from components import sh
from kfp import dsl


@dsl.container_component
def forget(given: dsl.OutputPath(str), forgotten: dsl.OutputPath(int)):
    return sh('printf ahoy > "$1"; : "$2"', given, forgotten)


@dsl.pipeline(name="failures-missing-output")
def pipeline():
    forget()
