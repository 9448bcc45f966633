"""An exit task that waits for several tasks runs once, after all of them, whatever became of each."""
from components import say, sh
from kfp import dsl


@dsl.container_component
def fail_late():
    return sh("sleep 0.5; exit 3")


@dsl.pipeline(name="exit-handlers-several")
def pipeline():
    early = say(text="early")
    late = fail_late().after(early)
    never = say(text="never").after(late)
    say(text="at last").after(early, late, never).ignore_upstream_failure()
