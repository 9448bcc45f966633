"""Constants that are put together from parameters of the run and outputs of tasks, whatever is in these."""
from components import IMAGE, count, say
from kfp import dsl


@dsl.component(base_image=IMAGE)
def echo(text: str) -> str:
    return text


@dsl.pipeline(name="parameters-fstrings")
def pipeline(name: str, number: int):
    said = say(text=f"<{name}>")
    counted = count(number=number)
    say(text=f"{name}/{said.output}/{counted.output}")
    echo(text=f"{name}/{said.output}/{counted.output}")
