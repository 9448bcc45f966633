"""A run that is terminated does not run its exit task either: whoever stops a run wants it to stop."""
from components import nap, report
from kfp import dsl


@dsl.pipeline(name="cancel-exit-handler")
def pipeline():
    with dsl.ExitHandler(report()):
        nap(seconds="60")
