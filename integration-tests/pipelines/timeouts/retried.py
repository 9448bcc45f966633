"""The time that a task may take is that of each attempt, and one that takes longer is tried again like any other."""
from components import sh
from kfp import dsl, kubernetes


@dsl.container_component
def slow_at_first(attempt: dsl.OutputPath(str)):
    return sh('test "$KFP_RETRY_INDEX" -ge 1 || sleep 60; sleep 1; printf %s "$KFP_RETRY_INDEX" > "$1"', attempt)


@dsl.pipeline(name="timeouts-retried")
def pipeline():
    slow = slow_at_first().set_retry(num_retries=1, backoff_duration="0s")
    kubernetes.set_timeout(slow, seconds=5)
