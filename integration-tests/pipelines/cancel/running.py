"""A run that is terminated while a task runs: that task fails and says who did it, and what waits for it is skipped."""
from components import nap, say
from kfp import dsl


@dsl.pipeline(name="cancel-running")
def pipeline():
    early = say(text="early")
    slow = nap(seconds="60").after(early)
    say(text="never").after(slow)
