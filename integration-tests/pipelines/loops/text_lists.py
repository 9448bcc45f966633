"""A loop over a parameter that is a text with a JSON list in it."""
from components import count
from kfp import dsl


@dsl.pipeline(name="loops-text-lists")
def pipeline(numbers: list):
    with dsl.ParallelFor(numbers) as number:
        count(number=number)


def edit(spec):
    """The SDK loops over lists alone; upstream also takes texts that hold one."""
    for component in (spec["root"], spec["components"]["comp-for-loop-1"]):
        for declared in component["inputDefinitions"]["parameters"].values():
            if declared["parameterType"] == "LIST":
                declared["parameterType"] = "STRING"
