"""A Secret whose name the run is given: what the task needs is said by that name."""
from components import say
from kfp import dsl, kubernetes


@dsl.pipeline(name="platform-secret-of-parameter")
def pipeline(name: str):
    task = say(text="never")
    kubernetes.use_secret_as_env(task, secret_name=name, secret_key_to_env={"token": "TOKEN"})
