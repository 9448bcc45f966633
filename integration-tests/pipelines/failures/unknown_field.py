"""A file of outputs with a field that there is not: nobody can tell what it was to mean."""
from components import sh
from kfp import dsl


@dsl.container_component
def scribble():
    return sh('mkdir -p "$(dirname "$1")"; printf "%s" "{\\"outcome\\": {}}" > "$1"', dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER)


@dsl.pipeline(name="failures-unknown-field")
def pipeline():
    scribble()
