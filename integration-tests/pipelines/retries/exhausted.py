"""A task that fails each time fails when its retries are used up; another one has none."""
from components import flaky
from kfp import dsl


@dsl.pipeline(name="retries-exhausted")
def pipeline():
    flaky(successes_from=9).set_retry(num_retries=2, backoff_duration="0s")
