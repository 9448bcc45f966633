"""A condition that compares a text with a number fails; it is not just false."""
from components import say
from kfp import dsl


@dsl.pipeline(name="failures-condition-type")
def pipeline(text: str = "three"):
    with dsl.If(say(text=text).output == "3"):
        say(text="never")


def edit(spec):
    """The SDK refuses to compare different types."""
    trigger = spec["root"]["dag"]["tasks"]["condition-1"]["triggerPolicy"]
    trigger["condition"] = trigger["condition"].replace("'3'", "3")
