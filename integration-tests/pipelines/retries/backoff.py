"""A second is waited before the second attempt, and as long before the third, since that is the most."""
from components import IMAGE, flaky
from kfp import dsl


@dsl.container_component
def clock(moment: dsl.OutputPath(int)):
    return dsl.ContainerSpec(image=IMAGE, command=["sh", "-c", 'date +%s > "$0"'], args=[moment])


@dsl.component(base_image=IMAGE)
def between(began: int, ended: int) -> bool:
    return 2 <= ended - began <= 30


@dsl.pipeline(name="retries-backoff")
def pipeline():
    began = clock()
    tried = flaky(successes_from=2).after(began)
    tried.set_retry(num_retries=2, backoff_duration="1s", backoff_factor=2.0, backoff_max_duration="1s")
    between(began=began.output, ended=clock().after(tried).output)
