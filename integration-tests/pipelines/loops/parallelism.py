"""At most one iteration, or two, at a time; each writes when it began and ended, so that the last task can tell."""
from components import IMAGE
from kfp import dsl


@dsl.component(base_image=IMAGE)
def work(number: int) -> list:
    import time

    began = time.monotonic()
    time.sleep(0.2)
    return [began, time.monotonic()]


@dsl.component(base_image=IMAGE)
def within(times: list, limit: int) -> bool:
    return 1 <= max(sum(began <= moment < ended for began, ended in times) for moment, _ in times) <= limit


@dsl.pipeline(name="loops-parallelism")
def pipeline():
    with dsl.ParallelFor([1, 2, 3], parallelism=1) as number:
        one = work(number=number)
    within(times=dsl.Collected(one.output), limit=1)
    with dsl.ParallelFor([1, 2, 3, 4], parallelism=2) as number:
        two = work(number=number)
    within(times=dsl.Collected(two.output), limit=2)
