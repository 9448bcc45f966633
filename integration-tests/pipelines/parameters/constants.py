"""A constant of each type, from the pipeline to a task; integers stay integers although the SDK may write 2.0."""
from kfp import dsl
from components import IMAGE


@dsl.component(base_image=IMAGE)
def show(text: str, integer: int, number: float, flag: bool, items: list, fields: dict) -> str:
    import json

    return json.dumps([text, integer, number, flag, items, fields], sort_keys=True)


@dsl.pipeline(name="parameters-constants")
def pipeline():
    show(text="ahoy", integer=2, number=0.25, flag=True, items=[1, "two", False, [3]], fields={"b": {"c": 1}, "a": 2})
