"""A task that does not mind runs after a loop of which an iteration failed."""
from components import fail_if, say
from kfp import dsl


@dsl.pipeline(name="upstream-failures-after-loop")
def pipeline():
    with dsl.ParallelFor(["a", "b"], parallelism=1) as word:
        fail_if(text=word, unwanted="b")
    say(text="after all").ignore_upstream_failure()


def edit(spec):
    """`after` of the SDK takes no group of tasks but an exit handler."""
    spec["root"]["dag"]["tasks"]["say"]["dependentTasks"] = ["for-loop-2"]
