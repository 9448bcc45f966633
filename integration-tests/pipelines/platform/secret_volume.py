"""Files of a Secret that has to be there: the task fails at once, and says which it needs."""
from components import say
from kfp import dsl, kubernetes


@dsl.pipeline(name="platform-secret-volume")
def pipeline():
    task = say(text="never")
    kubernetes.use_secret_as_volume(task, secret_name="keys", mount_path="/keys")
    say(text="never").after(task)
