"""What must hold of the times of every run, whatever its pipeline: nothing starts too early, and nothing in vain."""
from datetime import datetime

from . import ir

SUCCEEDED, FAILED, SKIPPED = "SUCCEEDED", "FAILED", "SKIPPED"


def mistakes(pipeline: ir.Pipeline, run: dict, tasks: dict) -> list:
    found = []
    for path, task in sorted(tasks.items()):
        if task["state"] == SKIPPED:
            found += for_nothing(pipeline, run, tasks, path)
        else:
            found += [*too_early(pipeline, tasks, path), *in_vain(pipeline, tasks, path), *outside(run, tasks, path)]
            found += too_soon_again(pipeline, path, task)
        if pipeline.is_loop(path):
            found += too_many(pipeline, tasks, path)
    return found


def began(task: dict) -> datetime:
    """When a task started; what had nothing to do did so when it ended."""
    return moment(task.get("started_at") or task["finished_at"])


def ended(task: dict) -> datetime:
    return moment(task["finished_at"])


def for_nothing(pipeline: ir.Pipeline, run: dict, tasks: dict, path: str) -> list:
    """It was skipped, and the IR gives no reason for that."""
    task = tasks[path]
    if task.get("started_at"):
        return [f"{path} was skipped, and started all the same"]
    held = [key for key in pipeline.needs(path) if key in tasks and tasks[key]["state"] != SUCCEEDED]
    reasons = (pipeline.minds(path) and held, failed_beside(tasks, path), pipeline.is_conditional(path),
               run["state"] == FAILED and task.get("error") == run.get("error"))
    found = [] if any(reasons) else [f"{path} was skipped for no reason: {task.get('error')}"]
    around = tasks.get(ir.parent_of(path), run)
    return found if ended(task) <= ended(around) else [*found, f"{path} was skipped after {ir.parent_of(path) or 'the run'} had ended"]


def failed_beside(tasks: dict, path: str) -> list:
    """The tasks of the same DAG, or the iterations of the same loop, that failed."""
    return [other for other in tasks
            if other != path and ir.parent_of(other) == ir.parent_of(path) and tasks[other]["state"] == FAILED]


def too_early(pipeline: ir.Pipeline, tasks: dict, path: str) -> list:
    """It started before one that it depends on had ended, or although that did not succeed."""
    found = []
    for needed in pipeline.needs(path):
        other = tasks.get(needed)
        if other is None:
            found.append(f"{path} ran, and {needed}, which it depends on, is not there")
            continue
        if ended(other) > began(tasks[path]):
            found.append(f"{path} started at {tasks[path].get('started_at')}, before {needed} ended, at {other['finished_at']}")
        if pipeline.minds(path) and other["state"] != SUCCEEDED:
            found.append(f"{path} ran although {needed} is {other['state']}")
    return found


def in_vain(pipeline: ir.Pipeline, tasks: dict, path: str) -> list:
    """It could start only when another task of its DAG, or iteration of its loop, had failed, and did all the same.

    What does not mind failures may, and what depends on such tasks alone. What could start earlier may have waited for
    a free place on the machine.
    """
    needs = [needed for needed in pipeline.needs(path) if needed in tasks]
    if ir.index_of(path) is None and (not pipeline.minds(path) or (needs and not any(map(pipeline.minds, needs)))):
        return []
    could = max([moment(tasks[path]["created_at"]), *(ended(tasks[needed]) for needed in needs)])
    return [f"{path} started after {other} had failed" for other in failed_beside(tasks, path) if ended(tasks[other]) < could]


def outside(run: dict, tasks: dict, path: str) -> list:
    """It did not run while what it is in did."""
    parent = ir.parent_of(path)
    around = tasks.get(parent) if parent else {**run, "started_at": run["created_at"]}
    if around is None or around["state"] == SKIPPED:
        return [f"{path} ran, and {parent} did not"]
    inside = began(around) <= began(tasks[path]) <= ended(tasks[path]) <= ended(around)
    return [] if inside else [f"{path} ran outside of {parent or 'the run'}"]


def too_soon_again(pipeline: ir.Pipeline, path: str, task: dict) -> list:
    """It was tried again before the time was over that is waited between attempts."""
    took = (ended(task) - began(task)).total_seconds()
    least = pipeline.waits(path, task.get("attempt", 0)) if ir.index_of(path) is None else 0
    return [f"{path} took {took:.2f} s, and waits alone are {least:.2f} s"] if took < least else []


def too_many(pipeline: ir.Pipeline, tasks: dict, path: str) -> list:
    """More iterations at a time than the loop allows."""
    limit = pipeline.limit(path)
    spans = [(began(task), ended(task)) for other, task in tasks.items()
             if ir.index_of(other) is not None and ir.parent_of(other) == path]
    most = max((sum(first <= start < last for first, last in spans) for start, _ in spans), default=0)
    return [f"{path} ran {most} iterations at once, and may run {limit}"] if limit and most > limit else []


def moment(text: str) -> datetime:
    """A time of protojson, to the microsecond."""
    whole, _, part = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{part[:6]:0<6}+00:00")
