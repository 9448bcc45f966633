"""The pipelines of integration-tests/pipelines, with what their runs must come to."""
from dataclasses import dataclass, field
from pathlib import Path

import yaml

FOLDER = Path(__file__).resolve().parents[2] / "pipelines"


@dataclass(frozen=True)
class Expected:
    """A run: what it is given, and what it must come to."""

    parameters: dict = field(default_factory=dict)
    # A part of what is said to whoever wants such a run, when there can be none.
    refused: str = ""
    state: str = ""
    error: object = ""
    outputs: dict = field(default_factory=dict)
    artifacts: dict = field(default_factory=dict)
    tasks: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Pipeline:
    # FEATURE/NAME
    name: str
    spec: dict
    platform: dict | None
    # One after the other.
    runs: tuple

    def submitted(self) -> dict:
        """The pipeline as a request for a run has it."""
        return {"pipeline_spec": self.spec, "platform_spec": self.platform} if self.platform else self.spec


def pipelines(names: list) -> list:
    """All of them, or those that are named: FEATURE/NAME, FEATURE or NAME."""
    found = []
    for source in sorted(FOLDER.glob("*/*.py")):
        name = f"{source.parent.name}/{source.stem}"
        if not names or {name, source.parent.name, source.stem} & set(names):
            documents = list(yaml.safe_load_all(source.with_suffix(".yaml").read_text()))
            expected = yaml.safe_load_all(source.with_suffix(".expected.yaml").read_text())
            found.append(Pipeline(name, documents[0], documents[1] if documents[1:] else None,
                                  tuple(Expected(**run) for run in expected)))
    return found


def waits_for(spec: dict, path: str) -> list:
    """The paths of the tasks that this one comes after in its group."""
    component, parent = spec["root"], ""
    *groups, key = path.split("/")
    for group in groups:
        task = component["dag"]["tasks"][group.partition("[")[0]]
        component, parent = spec["components"][task["componentRef"]["name"]], f"{parent}{group}/"
    return [parent + each for each in component["dag"]["tasks"].get(key, {}).get("dependentTasks", [])]
