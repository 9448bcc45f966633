"""A user's text that looks like one of them stays as it is: it is no part of the pipeline."""
from components import IMAGE, say
from kfp import dsl


@dsl.component(base_image=IMAGE)
def echo(text: str) -> str:
    return text


@dsl.pipeline(name="job-placeholders-users-text")
def pipeline(text: str):
    said = say(text=text)
    echo(text=said.output)
    say(text=f"<{text}>")
