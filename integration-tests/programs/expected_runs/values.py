"""Whether a value is as expected: the same to the last member, unless a condition of scenarios stands in its place."""
from scenario import match


def unlike(expected, got, where: str) -> list:
    """Sentences about places; none when the value is as expected."""
    if is_condition(expected):
        return match.differences(expected, got, where)
    if isinstance(expected, dict) and isinstance(got, dict):
        more = [f"{where} has {key} = {match.shown(got[key])}, which is not expected"
                for key in sorted(got.keys() - expected.keys())]
        return more + members_unlike(expected, got, where)
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        return [each for number, value in enumerate(expected) for each in unlike(value, got[number], f"{where}[{number}]")]
    same = type(expected) is type(got) or {type(expected), type(got)} == {int, float}
    return [] if same and expected == got else [f"{where} is {match.shown(got)} instead of {match.shown(expected)}"]


def members_unlike(expected: dict, got: dict, where: str) -> list:
    """The same for an object that may have other members besides."""
    return [each for key, value in expected.items() for each in unlike(value, got.get(key, match.ABSENT), f"{where}.{key}")]


def text_unlike(expected, got, where: str) -> list:
    """A part of a text, or a condition."""
    return unlike(expected if is_condition(expected) else {"$contains": expected}, got, where)


def is_condition(expected) -> bool:
    if isinstance(expected, str):
        return expected in match.KINDS
    return isinstance(expected, dict) and bool(expected) and all(key in match.CONDITIONS for key in expected)


def filled(expected, variables: dict):
    """The same with ${name} replaced by what is known of the run."""
    if isinstance(expected, dict):
        return {key: filled(value, variables) for key, value in expected.items()}
    if isinstance(expected, list):
        return [filled(value, variables) for value in expected]
    if isinstance(expected, str):
        for name, value in variables.items():
            expected = expected.replace("${" + name + "}", value)
    return expected
