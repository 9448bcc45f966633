"""A task that takes longer than it may fails, and what waits for it is skipped."""
from components import nap, say
from kfp import dsl, kubernetes


@dsl.pipeline(name="timeouts-task")
def pipeline():
    slow = nap(seconds="60")
    kubernetes.set_timeout(slow, seconds=1)
    say(text="never").after(slow)
