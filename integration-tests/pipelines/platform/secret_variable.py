"""A variable of a Secret that has to be there: the task fails at once, and says which it needs."""
from components import say
from kfp import dsl, kubernetes


@dsl.pipeline(name="platform-secret-variable")
def pipeline():
    task = say(text="never")
    kubernetes.use_secret_as_env(task, secret_name="keys", secret_key_to_env={"token": "TOKEN"})
    say(text="never").after(task)
