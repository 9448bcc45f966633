"""A task that does not mind runs after one that failed, with defaults for the outputs that are not there."""
from components import IMAGE, sh
from kfp import dsl


@dsl.container_component
def fail_with_output(text: dsl.OutputPath(str)):
    return sh('printf lost > "$1"; exit 3', text)


@dsl.component(base_image=IMAGE)
def show(text: str = "default") -> str:
    return text


@dsl.pipeline(name="upstream-failures-after-failed")
def pipeline():
    show(text=fail_with_output().output).ignore_upstream_failure()
