"""The same within a longer text, several at once and beside a parameter, also in a loop."""
from components import say
from kfp import dsl


@dsl.pipeline(name="job-placeholders-within-text")
def pipeline(word: str = "ahoy"):
    say(text=f"{word}: {dsl.PIPELINE_JOB_NAME_PLACEHOLDER}/{dsl.PIPELINE_JOB_ID_PLACEHOLDER}")
    with dsl.ParallelFor(["a"]) as item:
        say(text=f"{item} of {dsl.PIPELINE_TASK_NAME_PLACEHOLDER} of {dsl.PIPELINE_JOB_ID_PLACEHOLDER}")
