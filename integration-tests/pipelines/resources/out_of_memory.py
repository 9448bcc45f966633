"""A task that takes more memory than its limit fails, and says so."""
from components import IMAGE
from kfp import dsl


@dsl.component(base_image=IMAGE)
def gobble():
    import time

    held = []
    for _ in range(100):
        held.append(bytearray(8 << 20))
        time.sleep(0.02)
    time.sleep(20)


@dsl.pipeline(name="resources-out-of-memory")
def pipeline():
    gobble().set_memory_limit("128Mi")
