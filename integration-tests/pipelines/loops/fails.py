"""One iteration at a time: after one has failed no other starts, the loop fails, and what waits for it is skipped."""
from components import fail_if, say
from kfp import dsl


@dsl.pipeline(name="loops-fails")
def pipeline():
    with dsl.ParallelFor(["a", "b", "c"], parallelism=1) as word:
        fail_if(text=word, unwanted="b")
    say(text="after")


def edit(spec):
    """`after` of the SDK takes no group of tasks but an exit handler."""
    spec["root"]["dag"]["tasks"]["say"]["dependentTasks"] = ["for-loop-2"]
