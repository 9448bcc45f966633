"""An output parameter that is not of its type."""
from components import sh
from kfp import dsl


@dsl.container_component
def wrong(number: dsl.OutputPath(int)):
    return sh('printf ahoy > "$1"', number)


@dsl.pipeline(name="failures-unreadable-output")
def pipeline():
    wrong()
