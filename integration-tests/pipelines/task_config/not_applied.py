"""A variable that is only passed through is told to the component, and is not in its environment."""
from components import IMAGE
from kfp import dsl


@dsl.component(base_image=IMAGE, task_config_passthroughs=[dsl.TaskConfigField.ENV])
def show(config: dsl.TaskConfig) -> dict:
    import os

    return {"env": config.env, "own": os.environ.get("COLOUR", "unset")}


@dsl.pipeline(name="task-config-not-applied")
def pipeline():
    show().set_env_variable("COLOUR", "blue")
