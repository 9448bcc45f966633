"""Metadata of each JSON type goes from a task to the next, and to whoever asks."""
from components import IMAGE
from kfp import dsl


@dsl.component(base_image=IMAGE)
def produce(model: dsl.Output[dsl.Model]):
    model.metadata.update(text='with "quotes"', integer=3, number=0.5, items=[1, "two"], fields={"a": {"b": 1}})


@dsl.component(base_image=IMAGE)
def consume(model: dsl.Input[dsl.Model]) -> str:
    found = model.metadata
    return f"{found['text']} {found['integer']} {found['number']}"


@dsl.pipeline(name="artifacts-metadata")
def pipeline():
    consume(model=produce().output)
