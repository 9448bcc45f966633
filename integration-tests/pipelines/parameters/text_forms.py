"""How values look among the arguments of a command, and where an input wants a text."""
from components import say, sh
from kfp import dsl


@dsl.container_component
def forms(integer: int, large: int, number: float, tiny: float, flag: bool, items: list, fields: dict,
          text: dsl.OutputPath(str)):
    return sh('out=$1; shift; printf "%s\\n" "$@" > "$out"', text, integer, large, number, tiny, flag, items, fields)


@dsl.pipeline(name="parameters-text-forms")
def pipeline(integer: int = 3, large: int = 123456789012, number: float = 0.1, tiny: float = 1.0, flag: bool = False,
             items: list = [1, "a b", True], fields: dict = {"a": 1.5}):
    forms(integer=integer, large=large, number=number, tiny=tiny, flag=flag, items=items, fields=fields)
    say(text=f"{integer}")
