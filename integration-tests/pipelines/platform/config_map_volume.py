"""Files of a ConfigMap that has to be there: the task fails at once, and says which it needs."""
from components import say
from kfp import dsl, kubernetes


@dsl.pipeline(name="platform-config-map-volume")
def pipeline():
    task = say(text="never")
    kubernetes.use_config_map_as_volume(task, config_map_name="settings", mount_path="/settings")
    say(text="never").after(task)
