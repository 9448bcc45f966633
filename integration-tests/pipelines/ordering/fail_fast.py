"""After a task has failed no other of its DAG starts; those that run end, and other DAGs go on."""
from components import fail, nap, say
from kfp import dsl


@dsl.pipeline(name="inner")
def inner():
    say(text="other DAGs go on").after(nap(seconds="2.5"))


@dsl.pipeline(name="ordering-fail-fast")
def pipeline():
    inner()
    fail()
    say(text="never").after(nap(seconds="4"))
