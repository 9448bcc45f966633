"""A task that would make a volume claim fails, since there is no cluster to make it in."""
from components import say
from kfp import dsl, kubernetes


@dsl.pipeline(name="platform-create-claim")
def pipeline():
    made = kubernetes.CreatePVC(pvc_name_suffix="-disk", access_modes=["ReadWriteOnce"], size="1Gi")
    say(text=made.outputs["name"])
