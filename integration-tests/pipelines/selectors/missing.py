"""A field that is not there fails the task that wants it."""
from components import say
from kfp import dsl


@dsl.pipeline(name="selectors-missing")
def pipeline(given: str):
    say(text=given)


def edit(spec):
    """The SDK has no word for a field of an output outside of loops."""
    wanted = spec["root"]["dag"]["tasks"]["say"]["inputs"]["parameters"]["text"]
    wanted["parameterExpressionSelector"] = 'parseJson(string_value)["absent"]'
