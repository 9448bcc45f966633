"""A command that this machine does not have."""
from components import IMAGE
from kfp import dsl


@dsl.container_component
def lost():
    return dsl.ContainerSpec(image=IMAGE, command=["no-such-command-1912"])


@dsl.pipeline(name="failures-unknown-command")
def pipeline():
    lost()
