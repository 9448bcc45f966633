"""Every feature of the IR, run for real: the pipelines below `pipelines/`, several at once, against what is expected.

It proves, for each of them: the states of the run and of all its tasks, how often they were tried, what came out,
artifacts with their types, facts and bytes, and what errors say; and what the IR alone says of any run: the tree of
tasks, the order in which they ran, and what goes from one to the other. Some run twice, to see what is taken from the
run before. `engine.py FEATURE/NAME…` runs some of them.
"""
import concurrent.futures
import http.client
import json
import os
import re
import sys
import threading
import time
import uuid
from pathlib import Path

import rest
import yaml

from engine_checks import expected as expectations, flow, ir, order, tree

HERE = Path(__file__).resolve().parents[1] / "pipelines"
AT_ONCE = 6
SECONDS = 180
namespace, tag = os.environ["KFP_NAMESPACE"], uuid.uuid4().hex[:8]
jane = rest.jane()


def main() -> int:
    began = time.monotonic()
    files = sorted(file for file in HERE.glob("*/*.yaml") if not file.name.endswith(".expected.yaml"))
    names = {name_of(file): file for file in files}
    chosen = sys.argv[1:] or list(names)
    if unknown := [name for name in chosen if name not in names]:
        sys.exit(f"there is no pipeline called {' or '.join(unknown)}")
    experiment = jane.experiment(f"engine-{tag}")
    wrong = known = 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for name, found, defects in pool.map(lambda name: (name, *play(names[name], experiment)), chosen):
            wrong, known = wrong + bool(found), known + bool(defects)
            for line in [*found, *(f"known: {line}" for line in defects)]:
                print(f"{name}: {line}", flush=True)
    print(f"{len(chosen) - wrong} of {len(chosen)} pipelines did what is expected of them, {known} but for a known defect, "
          f"in {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


def name_of(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


def play(file: Path, experiment: str) -> tuple:
    """Runs a pipeline as often as expectations are given; returns what was otherwise, and what is known to be."""
    documents = list(yaml.safe_load_all(file.read_text()))
    found, defects, before = [], [], {}
    runs = list(yaml.safe_load_all(file.with_suffix(".expected.yaml").read_text()))
    for number, expected in enumerate(runs, 1):
        try:
            lines, before = one(documents, experiment, f"{file.stem}-{number}-{tag}", expected, before)
        except Exception as error:  # A program that stops at the first of many failures helps nobody.
            lines = [f"{type(error).__name__}: {error}"]
        for path in expected.get("open", {}):
            known = [line for line in lines if path in re.split(r"[\s:]+", line)]
            lines = [line for line in lines if line not in known] + ([] if known else [f"{path} is right now, and not open any more"])
            defects += known
        found += [f"run {number}: {line}" if len(runs) > 1 else line for line in lines]
    return found, defects


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
    run, tasks = watch(answer.json()["run_id"], expected.get("terminate"))
    pipeline = ir.Pipeline(next(document for document in documents if "root" in document))
    check = expectations.Check(jane, pipeline, {"run_name": name, "run_id": run["run_id"]}, before)
    check.run(run, expected)
    for path in sorted(tasks.keys() | expected.get("tasks", {}).keys()):
        check.task(path, tasks.get(path), expected.get("tasks", {}).get(path), run["run_id"])
    found = check.found + [f"{path} has not ended" for path, task in sorted(tasks.items()) if not task.get("finished_at")]
    # What follows speaks of all tasks together, and says little where the tasks themselves are wrong.
    if not found:
        found += [*tree.mistakes(pipeline, run, tasks), *order.mistakes(pipeline, run, tasks)]
        found += flow.Flow(pipeline, run, tasks, expected.get("parameters", {})).mistakes()
    return found, {**before, **check.artifacts}


def watch(run_id: str, terminated: str | None = None) -> tuple:
    """The run and its tasks by path, once it has ended. It is terminated when the task of a path is running."""
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
            if terminated is not None and tasks.get(terminated, {}).get("state") == "RUNNING":
                jane.ok("POST", f"/apis/v2beta1/runs/{run_id}:terminate")
                terminated = None
    finally:
        stop.cancel()
        connection.close()
    assert run.get("state") in rest.ENDED, f"the watch ended with the run {run.get('state')}"
    return run, tasks


if __name__ == "__main__":
    sys.exit(main())
