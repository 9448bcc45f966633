"""What a run has come to beside what it must come to."""
import base64
import datetime
import re

from expected_runs.files import Expected, Pipeline, waits_for
from expected_runs.values import filled, members_unlike, text_unlike, unlike
from expected_runs.watch import Seen

# All that these put out is told; of groups, and of the run when it failed, only what the file names.
LEAVES = {"RUNTIME", "IMPORTER"}
FINAL = {"SUCCEEDED", "FAILED", "SKIPPED"}
LOG = "executor-logs"


def differences(who, pipeline: Pipeline, expected: Expected, variables: dict, seen: Seen, before: dict) -> list:
    """Sentences, each with the path of the task that it is about. `before` has the tasks of the run before, by path."""
    tasks = {task["path"]: task for task in seen.tasks.values()}
    found = run_unlike(expected, variables, seen.run)
    if len(tasks) != len(seen.tasks):
        found.append(f"several tasks have one path: {sorted(task['path'] for task in seen.tasks.values())}")
    for path in sorted(expected.tasks.keys() - tasks.keys()):
        found.append(f"{path} is missing; it should be {expected.tasks[path]['state']}")
    for path, task in sorted(tasks.items()):
        if path in expected.tasks:
            found += task_unlike(who, filled(expected.tasks[path], variables), task, before.get(path, {}))
        else:
            found.append(f"{path} is there, and {task.get('state')}, but not expected")
        found += impossible(pipeline, task, tasks, seen.changes.get(task["task_id"], []))
    return found


def run_unlike(expected: Expected, variables: dict, run: dict) -> list:
    found = unlike(expected.state, run.get("state"), "the run's state")
    if expected.state == "FAILED":
        return found + text_unlike(expected.error, run.get("error", ""), "the run's error")
    found += unlike(filled(expected.outputs, variables), parameters(run), "the run's outputs")
    return found + artifacts_unlike(expected.artifacts, run, {}, "the run")


def task_unlike(who, expected: dict, task: dict, before: dict) -> list:
    path, state = task["path"], task.get("state")
    if state == "SUCCEEDED" and task.get("cached_task_id"):
        state = "CACHED"
    if state != expected["state"]:
        # All else would only follow from it.
        said = f" ({task['error']})" if task.get("error") else ""
        return [f"{path} is {state} instead of {expected['state']}{said}"]
    found = text_unlike(expected.get("error", ""), task.get("error", ""), f"{path}: error")
    for word in expected.keys() & {"display_name", "type"}:
        found += unlike(expected[word], task.get(word), f"{path}: {word}")
    if "attempt" in expected:
        found += unlike(expected["attempt"], int(task.get("attempt", 0)), f"{path}: attempt")
    if "inputs" in expected:
        inputs = (task.get("inputs") or {}).get("parameters") or {}
        found += members_unlike(expected["inputs"], inputs, f"{path}: inputs")
    whole = task.get("type") in LEAVES and state in ("SUCCEEDED", "CACHED")
    compared = unlike if whole else members_unlike
    found += compared(expected.get("outputs", {}), parameters(task), f"{path}: outputs")
    if whole:
        found += [f"{path}: the artifact {name} is not expected"
                  for name in sorted(artifacts(task).keys() - expected.get("artifacts", {}).keys() - {LOG})]
    found += artifacts_unlike(expected.get("artifacts", {}), task, before, path)
    return found + contents_unlike(who, expected.get("artifacts", {}), task)


def parameters(of: dict) -> dict:
    """What a task, or the run, puts out."""
    return (of.get("outputs") or {}).get("parameters") or {}


def artifacts(of: dict) -> dict:
    return (of.get("outputs") or {}).get("artifacts") or {}


def artifacts_unlike(expected: dict, of: dict, before: dict, where: str) -> list:
    found = []
    for name, wanted in expected.items():
        wanted, got = wanted if isinstance(wanted, list) else [wanted], artifacts(of).get(name)
        place = f"{where}: the artifact {name}"
        if got is None:
            found.append(f"{place} is missing")
        elif len(wanted) != len(got):
            found.append(f"{place} is a list of {len(got)} instead of {len(wanted)}")
        else:
            earlier = {each.get("artifact_id") for each in artifacts(before).get(name, [])}
            for one, artifact in zip(wanted, got):
                found += artifact_unlike(one, artifact, earlier, place)
    return found


def artifact_unlike(expected: dict, artifact: dict, earlier: set, where: str) -> list:
    found = []
    for word in expected.keys() & {"type", "uri"}:
        found += unlike(expected[word], artifact.get(word), f"{where}: {word}")
    if "again" in expected and (artifact.get("artifact_id") in earlier) != expected["again"]:
        found.append(f"{where} is {'not ' if expected['again'] else ''}the one of the run before")
    return found + members_unlike(expected.get("metadata", {}), artifact.get("metadata") or {}, f"{where}: metadata")


def contents_unlike(who, expected: dict, task: dict) -> list:
    """What KFP's route answers for artifacts of a task: the file, that it is a folder, or that there is none."""
    found = []
    for name, wanted in expected.items():
        if not isinstance(wanted, dict) or not wanted.keys() & {"content", "folder"}:
            continue
        where = f"{task['path']}: the artifact {name}"
        answer = who.call("GET", f"/apis/v1beta1/runs/{task['run_id']}/nodes/{task['task_id']}/artifacts/{name}:read")
        said = f"{answer.status} {answer.text()[:200]}"
        if wanted.get("folder"):
            found += [] if answer.status == 400 and "folder" in answer.text() else [f"{where} is no folder: {said}"]
        elif wanted["content"] is None:
            found += [] if answer.status == 404 else [f"{where} has a file: {said}"]
        elif answer.status != 200:
            found.append(f"{where} cannot be read: {said}")
        else:
            text = base64.b64decode(answer.json().get("data", "")).decode(errors="replace")
            found += unlike(wanted["content"], text, f"{where}: content")
    return found


def impossible(pipeline: Pipeline, task: dict, tasks: dict, changes: list) -> list:
    """What can be true of no task of a run that has ended, whatever the pipeline."""
    path, state, found = task["path"], task.get("state"), []
    parent = path.rpartition("[" if path.endswith("]") else "/")[0]
    if task.get("parent_task_id", "") != tasks.get(parent, {}).get("task_id", ""):
        found.append(f"{path}: its parent is not {parent or 'the run'}")
    if state not in FINAL:
        found.append(f"{path} is {state} although the run has ended")
    if state in ("FAILED", "SKIPPED") and not task.get("error"):
        found.append(f"{path} is {state} and does not say why")
    if not changes or changes[-1].get("state") != state:
        found.append(f"{path} is {state}, and its changes are {[change.get('state') for change in changes]}")
    for before in waits_for(pipeline.spec, path) if task.get("started_at") else ():
        ended = tasks.get(before, {}).get("finished_at")
        if ended and moment(ended) > moment(task["started_at"]):
            found.append(f"{path} started at {task['started_at']}, before {before} had ended at {ended}")
    return found


def moment(text: str) -> datetime.datetime:
    """Of RFC 3339, with a fraction of any length."""
    whole, fraction = re.fullmatch(r"([^.Z]+)(?:\.(\d+))?Z", text).groups()
    return datetime.datetime.strptime(f"{whole}.{(fraction or '0')[:6]}", "%Y-%m-%dT%H:%M:%S.%f")
