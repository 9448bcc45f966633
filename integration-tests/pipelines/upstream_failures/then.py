"""What comes after a task that does not mind starts too, although another one has failed; what minds it does not."""
from components import fail, say
from kfp import dsl


@dsl.pipeline(name="upstream-failures-then")
def pipeline():
    failing = fail()
    undaunted = say(text="in spite of it").after(failing).ignore_upstream_failure()
    say(text=f"{undaunted.output}, then this")
    say(text="never").after(failing, undaunted)
