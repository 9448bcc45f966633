"""A file that is packed into a component and unpacked where it runs."""
import os

from components import IMAGE
from kfp import dsl

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files", "word.txt")
UNSTABLE = "The archive has the time at which it was made."


@dsl.component(base_image=IMAGE, embedded_artifact_path=FILE)
def load(word: dsl.EmbeddedInput[dsl.Dataset]) -> str:
    return open(word.path).read()


@dsl.pipeline(name="embedded-file")
def pipeline():
    load()
