"""What an answer differs in from what a step expects.

An object must have the members that are expected, and may have more; a list must have as many items. A text that
begins with `$` names a kind of value, and an object whose keys do has conditions, all of which must hold.
"""
import datetime
import json
import re

ABSENT = object()
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
LATELY = datetime.timedelta(minutes=10)


def lately(value) -> bool:
    """Whether it is the time of something that this test has done."""
    if not isinstance(value, str) or not TIME.fullmatch(value):
        return False
    when = datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    return abs(datetime.datetime.now(datetime.timezone.utc) - when) < LATELY


KINDS = {
    "$any": lambda value: value is not ABSENT,
    "$absent": lambda value: value is ABSENT,
    "$empty": lambda value: value == {},
    "$text": lambda value: isinstance(value, str) and value != "",
    "$uuid": lambda value: isinstance(value, str) and UUID.fullmatch(value) is not None,
    "$time": lambda value: isinstance(value, str) and TIME.fullmatch(value) is not None,
    "$now": lately,
}


def differences(expected, got, path: str = "") -> list:
    """Sentences about places; none when the answer is as expected."""
    where = path or "the answer"
    if isinstance(expected, str) and expected in KINDS:
        return [] if KINDS[expected](got) else [f"{where} is {shown(got)} instead of {expected}"]
    if isinstance(expected, dict) and expected and all(key.startswith("$") for key in expected):
        return [each for word, value in expected.items() for each in CONDITIONS[word](value, got, where)]
    if isinstance(expected, dict) and isinstance(got, dict):
        return [each for key, value in expected.items()
                for each in differences(value, got.get(key, ABSENT), f"{path}.{key}" if path else key)]
    if isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            return [f"{where} has {len(got)} items instead of {len(expected)}: {shown(got)}"]
        return [each for number, value in enumerate(expected) for each in differences(value, got[number], f"{where}.{number}")]
    same = type(expected) is type(got) or {type(expected), type(got)} == {int, float}
    return [] if same and expected == got else [f"{where} is {shown(got)} instead of {shown(expected)}"]


def length(expected, got, where):
    found = len(got) if isinstance(got, (list, dict, str)) else None
    return [] if found == expected else [f"{where} has the length {found} instead of {expected}: {shown(got)}"]


def contains(expected, got, where):
    """A text that has all of these texts in it."""
    wanted = expected if isinstance(expected, list) else [expected]
    missing = [part for part in wanted if not isinstance(got, str) or part not in got]
    return [f"{where} does not contain {shown(part)}: {shown(got)}" for part in missing]


def matches(expected, got, where):
    found = isinstance(got, str) and re.search(expected, got)
    return [] if found else [f"{where} does not match {expected}: {shown(got)}"]


def has(expected, got, where):
    """A list with an item for each of these."""
    items = got if isinstance(got, list) else []
    missing = [wanted for wanted in expected if all(differences(wanted, item) for item in items)]
    return [f"{where} has no item like {shown(wanted)}: {shown(got)}" for wanted in missing]


def lacks(expected, got, where):
    """A list, which may be absent, with an item for none of these."""
    items = got if isinstance(got, list) else []
    return [f"{where} has an item that it must not have: {shown(item)}"
            for item in items for unwanted in expected if not differences(unwanted, item)]


def in_order(expected, got, where):
    """A list with an item for each of these, one after the other, and perhaps others between them."""
    wanted = list(expected)
    for item in got if isinstance(got, list) else []:
        if wanted and not differences(wanted[0], item):
            wanted.pop(0)
    return [f"{where} has no item like {shown(wanted[0])} where it should be: {shown(got)}"] if wanted else []


def each(expected, got, where):
    if not isinstance(got, list) or not got:
        return [f"{where} is no list with items: {shown(got)}"]
    return [found for number, item in enumerate(got) for found in differences(expected, item, f"{where}.{number}")]


def exactly(expected, got, where):
    return [] if expected == got else [f"{where} is {shown(got)} instead of exactly {shown(expected)}"]


def nothing_like(expected, got, where):
    return [f"{where} is like {shown(expected)}: {shown(got)}"] if not differences(expected, got) else []


def one_of(expected, got, where):
    return [] if any(not differences(choice, got) for choice in expected) else [f"{where} is {shown(got)}, none of {shown(expected)}"]


CONDITIONS = {
    "$length": length, "$contains": contains, "$matches": matches, "$has": has, "$lacks": lacks, "$each": each,
    "$in_order": in_order, "$exactly": exactly, "$not": nothing_like, "$one_of": one_of,
}


def shown(value) -> str:
    if value is ABSENT:
        return "absent"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 500 else text[:500] + "…"
