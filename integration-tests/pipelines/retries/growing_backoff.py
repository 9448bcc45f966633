"""One second is waited before the second attempt, and two before the third."""
from components import flaky, say
from kfp import dsl


@dsl.pipeline(name="retries-growing-backoff")
def pipeline():
    tried = flaky(successes_from=2).set_retry(num_retries=2, backoff_duration="1s", backoff_factor=2.0, backoff_max_duration="60s")
    say(text=tried.output)
