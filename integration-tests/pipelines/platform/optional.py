"""Secrets and ConfigMaps that are optional, and are not there: the task runs without them."""
from components import sh
from kfp import dsl, kubernetes


@dsl.container_component
def show(text: dsl.OutputPath(str)):
    return sh('printf "%s,%s" "${TOKEN-unset}" "${LEVEL-unset}" > "$1"', text)


@dsl.pipeline(name="platform-optional")
def pipeline():
    task = show()
    kubernetes.use_secret_as_env(task, secret_name="keys", secret_key_to_env={"token": "TOKEN"}, optional=True)
    kubernetes.use_secret_as_volume(task, secret_name="keys", mount_path="/keys", optional=True)
    kubernetes.use_config_map_as_env(task, config_map_name="settings", config_map_key_to_env={"level": "LEVEL"}, optional=True)
    kubernetes.use_config_map_as_volume(task, config_map_name="settings", mount_path="/settings", optional=True)
