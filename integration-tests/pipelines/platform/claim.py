"""A volume claim is of a cluster: the task that mounts one fails at once, and says which it needs."""
from components import say
from kfp import dsl, kubernetes


@dsl.pipeline(name="platform-claim")
def pipeline():
    task = say(text="never")
    kubernetes.mount_pvc(task, pvc_name="disk", mount_path="/data")
    say(text="never").after(task)
