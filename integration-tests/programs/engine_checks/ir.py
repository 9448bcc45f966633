"""The tasks that the IR of a pipeline has, by the paths that a run gives them."""
import re

ITERATION = re.compile(r"\[(\d+)\]$")
GROUPS = (("comp-condition-branches", "CONDITION_BRANCH"), ("comp-condition", "CONDITION"), ("comp-exit-handler", "EXIT_HANDLER"))
# What a container prints, among its artifacts.
LOGS = "executor-logs"
COMPLETED = "ALL_UPSTREAM_TASKS_COMPLETED"


def parent_of(path: str) -> str:
    """The path of the task that another one is in; an iteration is in its loop."""
    return ITERATION.sub("", path) if ITERATION.search(path) else path.rpartition("/")[0]


def index_of(path: str):
    """Which iteration of a loop this is; None for everything else."""
    found = ITERATION.search(path)
    return int(found[1]) if found else None


def beside(path: str, key: str) -> str:
    """The path of another task of the same DAG."""
    return f"{path.rpartition('/')[0]}/{key}".lstrip("/")


class Pipeline:
    def __init__(self, spec: dict):
        self.spec = spec

    def task(self, path: str) -> dict:
        """The IR of a task, for an iteration that of its loop."""
        component = self.spec["root"]
        for part in path.split("/"):
            task = component["dag"]["tasks"][ITERATION.sub("", part)]
            component = self.spec["components"][task["componentRef"]["name"]]
        return task

    def component(self, path: str) -> dict:
        """The component of a task, and for the empty path that of the pipeline."""
        return self.spec["components"][self.task(path)["componentRef"]["name"]] if path else self.spec["root"]

    def is_loop(self, path: str) -> bool:
        """Whether it is a loop as a whole, and no iteration of it."""
        return path != "" and index_of(path) is None and {"parameterIterator", "artifactIterator"} & self.task(path).keys() != set()

    def is_group(self, path: str) -> bool:
        return "dag" in self.component(path)

    def type(self, path: str) -> str:
        if self.is_loop(path):
            return "LOOP"
        if index_of(path) is not None:
            return "LOOP_ITERATION"
        component = self.component(path)
        if "dag" in component:
            name = self.task(path)["componentRef"]["name"]
            return next((type_ for prefix, type_ in GROUPS if name.startswith(prefix)), "DAG")
        executor = self.spec["deploymentSpec"]["executors"][component["executorLabel"]]
        return "IMPORTER" if "importer" in executor else "RUNTIME"

    def display_name(self, path: str) -> str:
        """The name for people; an iteration has that of its loop, with its index."""
        name, index = self.task(path)["taskInfo"]["name"], index_of(path)
        return name if index is None else f"{name}[{index}]"

    def needs(self, path: str) -> list:
        """The paths of the tasks that one waits for: those that it names, and those whose outputs it takes."""
        if index_of(path) is not None:
            return []
        task = self.task(path)
        keys, inputs = set(task.get("dependentTasks", [])), task.get("inputs", {})
        for source in (*inputs.get("parameters", {}).values(), *inputs.get("artifacts", {}).values()):
            for kind in ("taskOutputParameter", "taskOutputArtifact", "taskFinalStatus"):
                keys |= {source[kind]["producerTask"]} if kind in source else set()
        return [beside(path, key) for key in sorted(keys)]

    def minds(self, path: str) -> bool:
        """Whether a task runs only after tasks that succeeded."""
        return self.task(path).get("triggerPolicy", {}).get("strategy") != COMPLETED

    def is_conditional(self, path: str) -> bool:
        return "condition" in self.task(path).get("triggerPolicy", {})

    def limit(self, path: str):
        """How many iterations of a loop may run at once, if that is limited."""
        return self.task(path).get("iteratorPolicy", {}).get("parallelismLimit")

    def waits(self, path: str, attempts: int) -> float:
        """The least seconds between the first attempt and the last of so many retries, by the task's own policy."""
        policy, waited = self.task(path).get("retryPolicy", {}), 0.0
        first, factor, most = (seconds(policy.get("backoffDuration")), policy.get("backoffFactor", 2.0),
                               seconds(policy.get("backoffMaxDuration", "3600s")))
        for number in range(attempts):
            waited += min(first * factor ** number, most)
        return waited


def seconds(text) -> float:
    return float(text.rstrip("s")) if text else 0.0
