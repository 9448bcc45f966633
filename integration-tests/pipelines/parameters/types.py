"""A parameter of each type, from the run to a task and out of it, as Python sees it."""
from typing import NamedTuple

from kfp import dsl


@dsl.component(base_image="python:3.11")
def echo(text: str, integer: int, number: float, flag: bool, items: list, fields: dict) -> NamedTuple(
        "Outputs", text=str, integer=int, number=float, flag=bool, items=list, fields=dict, types=str):
    types = " ".join(type(value).__name__ for value in (text, integer, number, flag, items, fields))
    return text, integer, number, flag, items, fields, types


@dsl.pipeline(name="parameters-types")
def pipeline(text: str, integer: int, number: float, flag: bool, items: list, fields: dict):
    echo(text=text, integer=integer, number=number, flag=flag, items=items, fields=fields)
