"""OneOf of branches none of which has run: what wants it fails."""
from components import say
from kfp import dsl


@dsl.pipeline(name="failures-no-branch")
def pipeline(flip: str = "c"):
    with dsl.If(flip == "a"):
        one = say(text="a")
    with dsl.Elif(flip == "b"):
        two = say(text="b")
    with dsl.Else():
        three = say(text="c")
    say(text=dsl.OneOf(one.output, two.output, three.output))


def edit(spec):
    """The SDK wants an Else; here it is one that is false."""
    tasks = spec["components"]["comp-condition-branches-1"]["dag"]["tasks"]
    tasks["condition-4"]["triggerPolicy"]["condition"] = "false"
