"""Holds one run against what is written beside its pipeline."""
import base64
import json
import re
import urllib.parse

from . import ir


class Check:
    """Keeps what was otherwise in `found`, and the ids of artifacts in `artifacts`, for the run that follows."""

    def __init__(self, rest, pipeline: ir.Pipeline, words: dict, before: dict):
        self.rest, self.pipeline, self.words, self.before = rest, pipeline, words, before
        self.artifacts, self.found = {}, []

    def same(self, what: str, is_: object, wanted: object) -> None:
        if not self.fits(is_, wanted):
            self.found.append(f"{what} is {json.dumps(is_)[:600]}, not {json.dumps(wanted)[:600]}")

    def fits(self, is_: object, wanted: object) -> bool:
        if isinstance(wanted, dict) and len(wanted) == 1 and next(iter(wanted)).startswith("$"):
            (word, value), = wanted.items()
            return {"$contains": lambda: value in is_, "$matches": lambda: re.search(value, is_ or "") is not None,
                    "$length": lambda: len(is_) == value,
                    "$has": lambda: all(any(self.fits(one, part) for one in is_) for part in value)}[word]()
        if wanted == "$any":
            return is_ is not None
        if wanted == "$text":
            return isinstance(is_, str) and is_ != ""
        if isinstance(wanted, str):
            wanted = re.sub(r"\$\{(\w+)\}", lambda found: self.words.get(found[1], found[0]), wanted)
        if isinstance(wanted, dict) and isinstance(is_, dict):
            return is_.keys() == wanted.keys() and all(self.fits(is_[key], wanted[key]) for key in wanted)
        if isinstance(wanted, list) and isinstance(is_, list):
            return len(is_) == len(wanted) and all(map(self.fits, is_, wanted))
        return type(is_) is type(wanted) and is_ == wanted or is_number(is_) and is_number(wanted) and is_ == wanted

    def error(self, what: str, text: str, wanted: object) -> None:
        fits = self.fits(text, wanted) if isinstance(wanted, dict) else wanted in text if wanted else text == ""
        if not fits:
            self.found.append(f"{what} fails with {text[:600]!r}, which does not say {wanted!r}")

    def run(self, run: dict, expected: dict) -> None:
        self.same("the run", run["state"], expected["state"])
        if run["state"] != expected["state"]:
            self.found.append(f"its error: {run.get('error', '')[:1000]}")
        self.error("the run", run.get("error", ""), expected.get("error", {"$matches": "."} if expected["state"] == "FAILED" else ""))
        outputs = run.get("outputs", {})
        self.same("what the run gives", outputs.get("parameters", {}), expected.get("outputs", {}))
        self.types("the run", outputs.get("artifacts", {}), expected.get("artifacts", {}))

    def task(self, path: str, task: dict, expected: dict, run_id: str) -> None:
        if task is None or expected is None:
            return self.found.append(f"{path} " + ("is missing" if task is None else f"is there, and {task['state']}"))
        state = "CACHED" if task.get("cached_task_id") else task["state"]
        self.same(path, state, expected["state"])
        if state != expected["state"]:
            self.found.append(f"its error: {task.get('error', '')[:1000]}")
        self.error(path, task.get("error", ""), expected.get("error", {"$matches": "."} if state in ("FAILED", "SKIPPED") else ""))
        for word, default in (("attempt", 0), ("display_name", self.pipeline.display_name(path)), ("type", self.pipeline.type(path))):
            self.same(f"{word} of {path}", task.get(word, 0 if word == "attempt" else ""), expected.get(word, default))
        inputs, outputs = task.get("inputs", {}), task.get("outputs", {})
        if "inputs" in expected:
            self.same(f"inputs of {path}", inputs.get("parameters", {}), expected["inputs"])
        # What groups put out follows from what is in them, and is held against that.
        if not self.pipeline.is_group(path) or "outputs" in expected:
            self.same(f"outputs of {path}", outputs.get("parameters", {}), expected.get("outputs", {}))
        wanted, given = expected.get("artifacts", {}), outputs.get("artifacts", {})
        if self.pipeline.is_group(path):
            return self.types(path, given, wanted) if wanted else None
        self.logs(path, state, given.get(ir.LOGS))
        given = {name: each for name, each in given.items() if name != ir.LOGS}
        self.same(f"the names of the artifacts of {path}", sorted(given), sorted(wanted))
        for name in given.keys() & wanted.keys():
            artifacts = given[name].get("artifacts", [])
            self.same(f"number of artifacts {name} of {path}", len(artifacts), 1)
            for artifact in artifacts[:1]:
                self.artifact(f"{path}/{name}", artifact, wanted[name], f"{run_id}/nodes/{task['task_id']}/artifacts/{name}")

    def logs(self, path: str, state: str, logs: dict | None) -> None:
        """What a container printed is an artifact of it; one that failed need not have come as far as printing."""
        if self.pipeline.type(path) != "RUNTIME" or state == "SKIPPED":
            self.same(f"the log of {path}", logs, None)
        elif logs is not None or state != "FAILED":
            self.types(path, {ir.LOGS: logs or {}}, {ir.LOGS: {"type": "system.Artifact"}})

    def types(self, what: str, given: dict, wanted: dict) -> None:
        """The artifacts that a group passes on have no more than a type here: the tasks in it have the rest."""
        types = {name: [artifact.get("type") for artifact in each.get("artifacts", [])] for name, each in given.items()}
        lists = {name: [one["type"] for one in (each if isinstance(each, list) else [each])] for name, each in wanted.items()}
        self.same(f"the artifacts of {what}", types, lists)

    def artifact(self, place: str, artifact: dict, wanted: dict, url: str) -> None:
        for word, default in (("type", ""), ("metadata", {})):
            self.same(f"{word} of {place}", artifact.get(word, default), wanted.get(word, default))
        if "uri" in wanted:
            self.same(f"uri of {place}", artifact.get("uri", ""), wanted["uri"])
        if "again" in wanted:
            self.same(f"whether {place} is that of the run before", self.before.get(place) == artifact["artifact_id"], wanted["again"])
        self.artifacts[place] = artifact["artifact_id"]
        if not {"content", "folder"} & wanted.keys():
            return
        self.same(f"whether {place} is missing", artifact.get("missing", False), not wanted.get("folder") and wanted["content"] is None)
        answer = self.rest.call("GET", "/apis/v1beta1/runs/" + urllib.parse.quote(url) + ":read")
        if wanted.get("folder"):
            self.same(f"reading the folder {place}", [answer.status, "folder" in answer.text()], [400, True])
        elif wanted["content"] is None:
            self.same(f"reading {place}, which is missing", answer.status, 404)
        elif answer.status != 200:
            self.found.append(f"{place} cannot be read: {answer.status} {answer.text()}")
        else:
            self.same(f"content of {place}", base64.b64decode(answer.json().get("data", "")).decode(), wanted["content"])


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
