"""A component is told how its task is configured, as Kubernetes would write it."""
from components import IMAGE
from kfp import dsl, kubernetes


@dsl.component(base_image=IMAGE, task_config_passthroughs=[
    dsl.TaskConfigField.RESOURCES, dsl.TaskConfigField.KUBERNETES_NODE_SELECTOR, dsl.TaskConfigField.KUBERNETES_TOLERATIONS,
    dsl.TaskConfigPassthrough(field=dsl.TaskConfigField.ENV, apply_to_task=True)])
def show(config: dsl.TaskConfig) -> dict:
    import os

    return {"resources": config.resources, "node_selector": config.node_selector, "tolerations": config.tolerations,
            "env": config.env, "own": os.environ.get("COLOUR")}


@dsl.pipeline(name="task-config-passthrough")
def pipeline():
    task = show()
    task.set_cpu_limit("1").set_memory_request("64Mi").set_env_variable("COLOUR", "blue")
    kubernetes.add_node_selector(task, "disk", "ssd")
    kubernetes.add_toleration(task, key="gpu", operator="Exists", effect="NoSchedule")
