"""A variable of a ConfigMap that has to be there: the task fails at once, and says which it needs."""
from components import say
from kfp import dsl, kubernetes


@dsl.pipeline(name="platform-config-map-variable")
def pipeline():
    task = say(text="never")
    kubernetes.use_config_map_as_env(task, config_map_name="settings", config_map_key_to_env={"level": "LEVEL"})
    say(text="never").after(task)
