"""A task that leaves a file of outputs which is no JSON."""
from components import sh
from kfp import dsl


@dsl.container_component
def scribble():
    return sh('mkdir -p "$(dirname "$1")"; printf "{not json" > "$1"', dsl.PIPELINE_TASK_EXECUTOR_OUTPUT_PATH_PLACEHOLDER)


@dsl.pipeline(name="failures-executor-output")
def pipeline():
    scribble()
