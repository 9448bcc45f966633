"""Requests and limits of a task that needs less, fixed and of parameters."""
from components import say
from kfp import dsl


@dsl.pipeline(name="resources-limits")
def pipeline(memory: str = "256Mi"):
    say(text="fixed").set_cpu_request("100m").set_cpu_limit("1").set_memory_request("16Mi").set_memory_limit("1Gi")
    say(text="given").set_memory_limit(memory)
