"""OneOf takes the output of the branch that has run; a task reads it, and so does the run."""
from components import say
from kfp import dsl


@dsl.pipeline(name="conditions-one-of-parameters")
def pipeline(flip: str) -> str:
    first = say(text=flip)
    with dsl.If(first.output == "a"):
        one = say(text="took a")
    with dsl.Elif(first.output == "b"):
        two = say(text="took b")
    with dsl.Else():
        three = say(text="took another")
    chosen = dsl.OneOf(one.output, two.output, three.output)
    say(text=chosen)
    return chosen
