"""A text that a loop is over, because it holds a JSON list, is still that text for the tasks in the loop."""
from components import length
from kfp import dsl


@dsl.pipeline(name="loops-text-kept")
def pipeline(numbers: list):
    with dsl.ParallelFor(numbers):
        length(items=numbers)


def edit(spec):
    """The SDK loops over lists alone; upstream also takes texts that hold one."""
    for component in (spec["root"], spec["components"]["comp-for-loop-1"], spec["components"]["comp-length"]):
        for declared in component["inputDefinitions"]["parameters"].values():
            if declared["parameterType"] == "LIST":
                declared["parameterType"] = "STRING"
