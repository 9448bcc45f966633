"""The pipelines of integration-tests/pipelines, each run and held against what is written beside it.

It proves that each task of each run has the state, the outputs and the artifacts that it must have, that no task is too
many or too few, that none begins before those that it comes after have ended, and that the stream of changes agrees.

Alone, it runs all pipelines, or those that are named: programs/engine.py [FEATURE/NAME | FEATURE | NAME]...
"""
import os
import sys
import tempfile
import time
import traceback
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import rest  # noqa: E402
from expected_runs import compare, files, watch  # noqa: E402
from harness.server import Server  # noqa: E402

AT_ONCE = 4
NAMESPACE = "jane-doe"
# Some pipelines need tasks that run beside each other, however few processors there are.
CONFIG = {"executor": {"max_tasks": 16}}


def main(names: list) -> int:
    chosen = files.pipelines(names)
    if not chosen:
        print(f"there is no pipeline called {' or '.join(names)}")
        return 1
    with tempfile.TemporaryDirectory(prefix="engine-", ignore_cleanup_errors=True) as scratch:
        server = Server(Path(os.environ.get("SCRATCH", scratch)) / "server", config=CONFIG).start()
        try:
            jane = rest.Rest(server.host, server.token("jane@example.com").read_text().strip())
            experiment, began = jane.experiment("engine", NAMESPACE), time.monotonic()
            with ThreadPoolExecutor(AT_ONCE) as pool:
                outcomes = list(pool.map(lambda pipeline: played(jane, experiment, pipeline), chosen))
            took = time.monotonic() - began
            server.stop()
        finally:
            server.kill()
    wrong = {pipeline.name: found for pipeline, found in zip(chosen, outcomes) if found}
    for name, found in wrong.items():
        print(f"{name}:")
        for line in found:
            print(f"    {line}")
    runs = sum(len(pipeline.runs) for pipeline in chosen)
    print(f"{len(chosen) - len(wrong)} of {len(chosen)} pipelines are as expected, {len(wrong)} are not; {runs} runs in {took:.0f} s")
    return 1 if wrong else 0


def played(who, experiment: str, pipeline: files.Pipeline) -> list:
    """What is wrong with the runs of a pipeline."""
    found, before = [], {}
    for number, expected in enumerate(pipeline.runs, 1):
        try:
            wrong, before = played_once(who, experiment, pipeline, expected, before)
        except watch.Broken as why:
            wrong = [str(why)]
        except Exception:
            # An answer of another shape is one more thing that is wrong, and no reason not to try the others.
            wrong = traceback.format_exc().splitlines()
        found += [f"run {number}: {line}" if len(pipeline.runs) > 1 else line for line in wrong]
    return found


def played_once(who, experiment: str, pipeline: files.Pipeline, expected: files.Expected, before: dict) -> tuple:
    """What is wrong with one run, and its tasks by their paths, for the next one."""
    name = f"{pipeline.name} {uuid.uuid4().hex[:8]}"
    body = {"display_name": name, "experiment_id": experiment, "pipeline_spec": pipeline.submitted(),
            "runtime_config": {"parameters": expected.parameters}}
    answer = who.call("POST", "/apis/v2beta1/runs", body)
    said = f"{answer.status} {answer.text()[:500]}"
    if expected.refused:
        right = answer.status == 400 and expected.refused in answer.text()
        return ([] if right else [f"it should be refused, naming {expected.refused}: {said}"]), before
    if answer.status != 200:
        return [f"it could not be started: {said}"], before
    run_id = answer.json()["run_id"]
    seen = watch.until_ended(who, run_id)
    found = compare.differences(who, pipeline, expected, {"run_id": run_id, "run_name": name}, seen, before)
    return found, {task["path"]: task for task in seen.tasks.values()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
