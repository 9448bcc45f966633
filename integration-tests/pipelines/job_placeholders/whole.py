"""What a run knows of itself, each as a whole argument; by the name of a task, its own."""
from components import say
from kfp import dsl


@dsl.pipeline(name="job-placeholders-whole")
def pipeline():
    say(text=dsl.PIPELINE_JOB_NAME_PLACEHOLDER)
    say(text=dsl.PIPELINE_JOB_RESOURCE_NAME_PLACEHOLDER)
    say(text=dsl.PIPELINE_JOB_ID_PLACEHOLDER)
    say(text=dsl.PIPELINE_TASK_NAME_PLACEHOLDER)
    say(text=dsl.PIPELINE_TASK_ID_PLACEHOLDER)
    say(text=dsl.PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER)
    say(text=dsl.PIPELINE_JOB_SCHEDULE_TIME_UTC_PLACEHOLDER)
    say(text=dsl.PIPELINE_ROOT_PLACEHOLDER)
