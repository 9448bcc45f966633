"""A loop over a list that the run is given; over none at all it succeeds at once."""
from components import say
from kfp import dsl


@dsl.pipeline(name="loops-parameters")
def pipeline(words: list):
    with dsl.ParallelFor(words) as word:
        said = say(text=word)
        say(text=f"again {said.output}")
