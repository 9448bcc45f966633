"""What must hold of the tree of tasks in every run: each is where its path says, and groups fail with what is in them."""
from . import ir


def mistakes(pipeline: ir.Pipeline, run: dict, tasks: dict) -> list:
    found = [*places(pipeline, tasks), *blame("", run, tasks)]
    for path, task in tasks.items():
        found += blame(path, task, tasks) if pipeline.is_group(path) else []
    return found


def blame(path: str, task: dict, tasks: dict) -> list:
    """Whether what failed says which task in it did, with its words; a group without such a task failed by itself."""
    inside = [other for other in tasks if ir.parent_of(other) == path and tasks[other]["state"] == "FAILED"]
    if task["state"] != "FAILED":
        return [f"{path or 'the run'} is {task['state']}, and {inside[0]} failed"] if inside else []
    said = any(tasks[other].get("error", "?") in task.get("error", "") for other in below(path, tasks))
    return [] if said or not inside else [f"{path or 'the run'} does not say why {inside[0]} failed: {task.get('error')}"]


def below(path: str, tasks: dict) -> list:
    """All that failed inside of a task, however deep."""
    inside = [other for other in tasks if ir.parent_of(other) == path and tasks[other]["state"] == "FAILED"]
    return inside + [deeper for other in inside for deeper in below(other, tasks)]


def places(pipeline: ir.Pipeline, tasks: dict) -> list:
    paths, found = {task["task_id"]: path for path, task in tasks.items()}, []
    if len(paths) < len(tasks):
        found.append("two tasks have the same id")
    for path, task in sorted(tasks.items()):
        parent = paths.get(task.get("parent_task_id", ""), task.get("parent_task_id", ""))
        if parent != ir.parent_of(path):
            found.append(f"{path} is in {parent or 'the root'} and not in {ir.parent_of(path) or 'the root'}")
        if task["name"] != path.rpartition("/")[2]:
            found.append(f"{path} is called {task['name']}")
        if pipeline.is_loop(path):
            indexes = sorted(ir.index_of(other) for other in tasks if ir.index_of(other) is not None and ir.parent_of(other) == path)
            if indexes != list(range(len(indexes))):
                found.append(f"{path} has the iterations {indexes}")
    return found
