"""Conditions over each type that can be compared, with each operator."""
from components import IMAGE, say
from kfp import dsl


@dsl.component(base_image=IMAGE)
def half(number: float) -> float:
    return number / 2


@dsl.pipeline(name="conditions-types")
def pipeline(integer: int = 3, number: float = 1.5, flag: bool = True, text: str = "a 'b' \"c\""):
    with dsl.If(integer == 3, name="integer"):
        say(text="integer")
    with dsl.If(number >= 1.5, name="number"):
        say(text="number")
    with dsl.If(flag == True, name="flag"):  # noqa: E712
        say(text="flag")
    with dsl.If(text == "other", name="text"):
        say(text="text")
    with dsl.If(half(number=number).output < 0.75, name="half"):
        say(text="half")
