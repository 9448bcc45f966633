"""Where a pod would run, and how it would be labelled: it is kept, and changes nothing here."""
from components import say
from kfp import dsl, kubernetes


@dsl.pipeline(name="platform-scheduling")
def pipeline():
    task = say(text="here")
    kubernetes.add_node_selector(task, "disk", "ssd")
    kubernetes.add_toleration(task, key="gpu", operator="Exists", effect="NoSchedule")
    kubernetes.add_node_affinity(task, match_expressions=[{"key": "zone", "operator": "In", "values": ["a"]}], weight=5)
    kubernetes.add_pod_label(task, "team", "a")
    kubernetes.add_pod_annotation(task, "note", "b")
    kubernetes.set_image_pull_policy(task, "Always")
    kubernetes.set_image_pull_secrets(task, ["registry"])
    kubernetes.empty_dir_mount(task, "scratch", "/scratch")
