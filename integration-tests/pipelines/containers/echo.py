"""A command without a shell, which has no outputs."""
from components import IMAGE
from kfp import dsl


@dsl.container_component
def echo():
    return dsl.ContainerSpec(image=IMAGE, command=["echo"], args=["ahoy", "there"])


@dsl.container_component
def true():
    return dsl.ContainerSpec(image=IMAGE, command=["true"])


@dsl.pipeline(name="containers-echo")
def pipeline():
    echo()
    true()
