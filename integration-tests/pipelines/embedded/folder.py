"""A folder that is packed into a component and unpacked where it runs."""
import os

from components import IMAGE
from kfp import dsl

FILES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files")
UNSTABLE = "The archive has the time at which it was made."


@dsl.component(base_image=IMAGE, embedded_artifact_path=FILES)
def load(files: dsl.EmbeddedInput[dsl.Dataset]) -> str:
    import os

    return open(os.path.join(files.path, "word.txt")).read()


@dsl.pipeline(name="embedded-folder")
def pipeline():
    load()
