"""A task that is stopped with its run is not tried again, although it has retries left."""
from components import nap
from kfp import dsl


@dsl.pipeline(name="cancel-retries")
def pipeline():
    nap(seconds="60").set_retry(num_retries=3, backoff_duration="0s")
