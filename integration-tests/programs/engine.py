"""Every feature of the IR, run for real: the pipelines below `pipelines/`, several at once, against what is expected.

It proves, for each of them: the states of the run and of all its tasks, how often they were tried, what went in and
came out, artifacts with their types, facts and bytes, and what errors say. Some run twice, to see what is taken from
the run before. `engine.py FEATURE/NAME…` runs some of them.
"""
import base64
import concurrent.futures
import http.client
import json
import os
import re
import sys
import threading
import time
import urllib.parse
import uuid
from pathlib import Path

import rest
import yaml

HERE = Path(__file__).resolve().parents[1] / "pipelines"
AT_ONCE = 6
SECONDS = 180
namespace, tag = os.environ["KFP_NAMESPACE"], uuid.uuid4().hex[:8]
jane = rest.jane()


def main() -> int:
    files = sorted(file for file in HERE.glob("*/*.yaml") if not file.name.endswith(".expected.yaml"))
    names = {name_of(file): file for file in files}
    chosen = sys.argv[1:] or list(names)
    if unknown := [name for name in chosen if name not in names]:
        sys.exit(f"there is no pipeline called {' or '.join(unknown)}")
    experiment = jane.experiment(f"engine-{tag}")
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for name, found in pool.map(lambda name: (name, play(names[name], experiment)), chosen):
            wrong += bool(found)
            for line in found:
                print(f"{name}: {line}", flush=True)
    print(f"{len(chosen) - wrong} of {len(chosen)} pipelines did what is expected of them")
    return 1 if wrong else 0


def name_of(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


def play(file: Path, experiment: str) -> list:
    """Runs a pipeline as often as expectations are given; returns what was otherwise."""
    documents = list(yaml.safe_load_all(file.read_text()))
    found, before = [], {}
    runs = list(yaml.safe_load_all(file.with_suffix(".expected.yaml").read_text()))
    for number, expected in enumerate(runs, 1):
        try:
            lines, before = one(documents, experiment, f"{file.stem}-{number}-{tag}", expected, before)
        except Exception as error:  # A program that stops at the first of many failures helps nobody.
            lines = [f"{type(error).__name__}: {error}"]
        found += [f"run {number}: {line}" if len(runs) > 1 else line for line in lines]
    return found


def start(documents: list, experiment: str, name: str, parameters: dict) -> rest.Answer:
    """What is answered to whoever wants a run of a package."""
    spec = documents[0] if len(documents) == 1 else {
        "pipeline_spec": next(document for document in documents if "root" in document),
        "platform_spec": next(document for document in documents if "platforms" in document)}
    body = {"display_name": name, "experiment_id": experiment, "pipeline_spec": spec,
            "runtime_config": {"parameters": parameters}}
    return jane.call("POST", "/apis/v2beta1/runs", body)


def one(documents: list, experiment: str, name: str, expected: dict, before: dict) -> tuple:
    answer = start(documents, experiment, name, expected.get("parameters", {}))
    if "refused" in expected:
        text = answer.text()
        fits = answer.status == 400 and expected["refused"] in text
        return ([] if fits else [f"it was to be refused for {expected['refused']!r}: {answer.status} {text}"]), before
    if answer.status != 200:
        return [f"it cannot be started: {answer.status} {answer.text()}"], before
    run, tasks = watch(answer.json()["run_id"])
    check = Check({"run_name": name, "run_id": run["run_id"]}, before)
    check.run(run, expected)
    for path in sorted(tasks.keys() | expected.get("tasks", {}).keys()):
        check.task(path, tasks.get(path), expected.get("tasks", {}).get(path), run["run_id"])
    return check.found, {**before, **check.artifacts}


def watch(run_id: str) -> tuple:
    """The run and its tasks by path, once it has ended."""
    run, tasks, connection = {}, {}, http.client.HTTPConnection(jane.address, timeout=SECONDS)
    stop = threading.Timer(SECONDS, connection.close)
    stop.start()
    try:
        connection.request("GET", f"/apis/bulkhead/v1/runs/{run_id}:watch", headers={"Authorization": f"Bearer {jane.token}"})
        answer = connection.getresponse()
        assert answer.status == 200, f"watching: {answer.status} {answer.read()}"
        for line in answer:
            message = json.loads(line)
            assert "error" not in message, message
            run = message["result"]["run"]
            tasks.update({task["path"]: task for task in message["result"].get("tasks", [])})
    finally:
        stop.cancel()
        connection.close()
    assert run.get("state") in rest.ENDED, f"the watch ended with the run {run.get('state')}"
    return run, tasks


class Check:
    """Compares one run with its expectations, and keeps what was otherwise."""

    def __init__(self, words: dict, before: dict):
        self.words, self.before, self.artifacts, self.found = words, before, {}, []

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
        fits = self.fits(text, wanted) if isinstance(wanted, dict) else wanted in text
        if not fits:
            self.found.append(f"{what} fails with {text[:600]!r}, which does not say {wanted!r}")

    def run(self, run: dict, expected: dict) -> None:
        self.same("the run", run["state"], expected["state"])
        if run["state"] != expected["state"]:
            self.found.append(f"its error: {run.get('error', '')[:1000]}")
        if "error" in expected:
            self.error("the run", run.get("error", ""), expected["error"])
        if "outputs" in expected:
            self.same("what the run gives", run.get("outputs", {}).get("parameters", {}), expected["outputs"])

    def task(self, path: str, task: dict, expected: dict, run_id: str) -> None:
        if task is None or expected is None:
            return self.found.append(f"{path} " + ("is missing" if task is None else f"is there, and {task['state']}"))
        state = "CACHED" if task.get("cached_task_id") else task["state"]
        self.same(path, state, expected["state"])
        if state != expected["state"]:
            self.found.append(f"its error: {task.get('error', '')[:1000]}")
        if "error" in expected:
            self.error(path, task.get("error", ""), expected["error"])
        for word, default in (("attempt", 0), ("display_name", ""), ("type", "")):
            if word in expected:
                self.same(f"{word} of {path}", task.get(word, default), expected[word])
        for word in ("inputs", "outputs"):
            if word in expected:
                self.same(f"{word} of {path}", task.get(word, {}).get("parameters", {}), expected[word])
        for name, wanted in expected.get("artifacts", {}).items():
            lists = task.get("outputs", {}).get("artifacts", {})
            given = lists.get(name, {}).get("artifacts", [])
            wanted = wanted if isinstance(wanted, list) else [wanted]
            self.same(f"number of artifacts {name} of {path}", len(given), len(wanted))
            for at, (artifact, one) in enumerate(zip(given, wanted)):
                self.artifact(f"{path}/{name}/{at}", artifact, one, f"{run_id}/nodes/{task['task_id']}/artifacts/{name}", at)

    def artifact(self, place: str, artifact: dict, wanted: dict, url: str, at: int) -> None:
        for word, default in (("type", ""), ("uri", ""), ("metadata", {})):
            if word in wanted:
                self.same(f"{word} of {place}", artifact.get(word, default), wanted[word])
        if "again" in wanted:
            self.same(f"whether {place} is that of the run before", self.before.get(place) == artifact["artifact_id"], wanted["again"])
        self.artifacts[place] = artifact["artifact_id"]
        if at > 0 or not {"content", "folder"} & wanted.keys():
            return
        answer = jane.call("GET", "/apis/v1beta1/runs/" + urllib.parse.quote(url) + ":read")
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


if __name__ == "__main__":
    began = time.monotonic()
    code = main()
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(code)
