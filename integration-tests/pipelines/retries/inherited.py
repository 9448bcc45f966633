"""The retries of a pipeline in a pipeline are those of the tasks in it that have none of their own."""
from components import flaky
from kfp import dsl


@dsl.pipeline(name="inner")
def inner() -> str:
    return flaky(successes_from=1).output


@dsl.pipeline(name="retries-inherited")
def pipeline():
    inner().set_retry(num_retries=1, backoff_duration="0s")
