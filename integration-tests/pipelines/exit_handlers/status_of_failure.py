"""What the exit task is told of a body that failed: which task, that it failed, and why."""
from components import IMAGE, fail
from kfp import dsl


@dsl.component(base_image=IMAGE)
def show(status: dsl.PipelineTaskFinalStatus) -> dict:
    return {"state": status.state, "task": status.pipeline_task_name, "message": status.error_message}


@dsl.pipeline(name="exit-handlers-status-of-failure")
def pipeline():
    with dsl.ExitHandler(show()):
        fail(code=7)
