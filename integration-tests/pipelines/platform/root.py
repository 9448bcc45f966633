"""A task that wants to be root in its pod: the policy refuses the run, and names the field."""
from components import say
from kfp import dsl, kubernetes


@dsl.pipeline(name="platform-root")
def pipeline():
    kubernetes.set_security_context(say(text="never"), run_as_user=0)
