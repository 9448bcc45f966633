"""A task that succeeds at its third attempt."""
from components import flaky
from kfp import dsl


@dsl.pipeline(name="retries-flaky")
def pipeline():
    flaky(successes_from=2).set_retry(num_retries=3, backoff_duration="0s")
