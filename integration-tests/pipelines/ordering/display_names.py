"""Tasks with names for people, which change nothing else."""
from components import say
from kfp import dsl


@dsl.pipeline(name="ordering-display-names")
def pipeline():
    first = say(text="ahoy").set_display_name("Say »Ahoy« first")
    say(text=first.output).set_display_name("Say it/again")
