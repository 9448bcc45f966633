"""What the exit task is told: of which run, of which task, and how it ended."""
from components import IMAGE, say
from kfp import dsl


@dsl.component(base_image=IMAGE)
def show(status: dsl.PipelineTaskFinalStatus, text: str) -> dict:
    return {"state": status.state, "task": status.pipeline_task_name, "run": status.pipeline_job_resource_name,
            "code": status.error_code or 0, "message": status.error_message or "", "text": text}


@dsl.pipeline(name="exit-handlers-status")
def pipeline(text: str = "bye"):
    with dsl.ExitHandler(show(text=text)):
        say(text="body")
