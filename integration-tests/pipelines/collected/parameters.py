"""Collected outputs are a list in the order of the items, for a task and for the run."""
from components import add, total
from kfp import dsl


@dsl.pipeline(name="collected-parameters")
def pipeline() -> list[int]:
    with dsl.ParallelFor([3, 1, 2]) as number:
        added = add(a=number, b=10)
    total(numbers=dsl.Collected(added.output))
    return dsl.Collected(added.output)
