"""A file of steps as it is written, and the variables in it."""
import json
import re
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

import yaml

FOLDER = Path(__file__).resolve().parents[2] / "scenarios"
IDENTITIES = ("jane", "john", "sam", "viewer", "publisher", "reporter", "nobody")
# What a step may say besides who asks for what.
WORDS = {"name", "query", "body", "upload", "headers", "status", "expect", "expect_text", "expect_headers", "save", "within", "refused"}
# The part of a step that is the request.
REQUEST = ("query", "body", "upload", "headers")
# The code of gRPC in a refusal.
CODES = {401: 16, 403: 7, 404: 5}
VARIABLE = re.compile(r"\$\{(\w+)\}")


class Malformed(Exception):
    """A file of steps is not what such a file must be, and why."""


class Unsaved(Exception):
    """The name of a variable that no step has saved."""


@dataclass(frozen=True)
class JsonText:
    """A value as a JSON text: `!json` for a filter, `!encoded` for one as the web UI sends it, percent-encoded once more
    than HTTP asks for, and `!quoted` for a report, which is a JSON string with JSON in it.
    """
    value: object
    tag: str

    def text(self, variables: dict) -> str:
        text = json.dumps(filled(self.value, variables), separators=(",", ":"))
        return {"!json": text, "!encoded": urllib.parse.quote(text, safe=""), "!quoted": json.dumps(text)}[self.tag]


@dataclass(frozen=True)
class Step:
    file: str
    number: int
    who: str
    method: str
    path: str
    words: dict
    refusal: bool = False

    @property
    def name(self) -> str:
        return self.words["name"]

    @property
    def asserts(self) -> bool:
        """A step that says nothing of its answer only prepares others, although it has to be answered with 200."""
        return any(word == "status" or word.startswith("expect") for word in self.words)

    @property
    def status(self) -> int:
        return self.words.get("status", 200)

    def __str__(self) -> str:
        return f"{self.file}, step {self.number}: {self.name}"


class Loader(yaml.SafeLoader):
    """YAML with the tags of `JsonText`, with `!text FILE` and `!yaml FILE` for what is in the folder `files`, and without
    keys that come twice.
    """

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise Malformed(f"{', '.join(twice)} twice in one place{node.start_mark}")
        return super().construct_mapping(node, deep)


def asset(name: str) -> str:
    return (FOLDER / "files" / name).read_text()


def plain(loader, node):
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


for tag in ("!json", "!encoded", "!quoted"):
    Loader.add_constructor(tag, lambda loader, node, tag=tag: JsonText(plain(loader, node), tag))
Loader.add_constructor("!text", lambda loader, node: asset(loader.construct_scalar(node)))
Loader.add_constructor("!yaml", lambda loader, node: yaml.safe_load(asset(loader.construct_scalar(node))))


def files() -> list:
    """All files of steps; those of `setup` are included by others, and those of `files` are sent."""
    return [path for path in sorted(FOLDER.glob("*/*.yaml")) if path.parent.name not in ("files", "setup")]


def steps(path: Path) -> list:
    """The steps of a file, with those that it includes in their places."""
    found = []
    name = str(path.relative_to(FOLDER))
    for number, entry in enumerate(yaml.load(path.read_text(), Loader) or [], 1):
        if set(entry) == {"include"}:
            found += steps(FOLDER / "setup" / entry["include"])
        else:
            asked = step(name, number, entry)
            found += [*refusals(asked), asked]
    return found


def refusals(step: Step) -> list:
    """`refused: {john: 404}`: before the step itself, others ask the same, and must not be told."""
    return [Step(step.file, step.number, who, step.method, step.path, {
        "name": f"{step.name} (and {who} is refused)", "status": status, "expect": {"code": CODES[status]},
        **{word: step.words[word] for word in REQUEST if word in step.words}}, refusal=True)
        for who, status in step.words.get("refused", {}).items()]


def step(file: str, number: int, entry: dict) -> Step:
    where = f"{file}, step {number}"
    asking = [word for word in entry if word in IDENTITIES]
    if len(asking) != 1 or not entry.get("name"):
        raise Malformed(f"{where} needs a name and one of {', '.join(IDENTITIES)}: {entry}")
    if unknown := set(entry) - WORDS - set(asking):
        raise Malformed(f"{where} has unknown words: {', '.join(sorted(unknown))}")
    method, _, path = entry[asking[0]].partition(" ")
    words = {word: value for word, value in entry.items() if word in WORDS}
    return Step(file, number, asking[0], method, path, words)


def filled(value, variables: dict):
    """`value` with variables in place of `${name}`; one that stands alone keeps its type."""
    if isinstance(value, JsonText):
        return value.text(variables)
    if isinstance(value, dict):
        return {filled(key, variables): filled(each, variables) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, variables) for each in value]
    if not isinstance(value, str):
        return value
    try:
        if alone := VARIABLE.fullmatch(value):
            return variables[alone[1]]
        return VARIABLE.sub(lambda found: str(variables[found[1]]), value)
    except KeyError as missing:
        raise Unsaved(missing.args[0]) from None
