"""OneOf over artifacts."""
from components import read, say, write
from kfp import dsl


@dsl.pipeline(name="conditions-one-of-artifacts")
def pipeline(flip: str) -> dsl.Dataset:
    first = say(text=flip)
    with dsl.If(first.output == "a"):
        one = write(text="from a")
    with dsl.Else():
        two = write(text="from another")
    chosen = dsl.OneOf(one.output, two.output)
    read(file=chosen)
    return chosen
