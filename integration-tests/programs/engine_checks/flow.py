"""What must hold of what goes through a run: groups put out what is in them, and tasks take what others have put out."""
import json

from . import ir

ABSENT = object()
SUCCEEDED = "SUCCEEDED"


class Flow:
    """What a run's tasks put out, as the tasks that are no groups have it and the IR passes it on."""

    def __init__(self, pipeline: ir.Pipeline, run: dict, tasks: dict, parameters: dict):
        self.pipeline, self.run, self.tasks = pipeline, run, tasks
        declared = pipeline.component("").get("inputDefinitions", {}).get("parameters", {})
        defaults = {name: each["defaultValue"] for name, each in declared.items() if "defaultValue" in each}
        # What the run was given, by the name of the way in which tasks have theirs.
        self.given = {"parameters": {**defaults, **parameters}}

    def mistakes(self) -> list:
        found = self.group("", self.run) if self.run["state"] == SUCCEEDED else []
        for path, task in sorted(self.tasks.items()):
            if task["state"] != SUCCEEDED:
                found += self.nothing(path, task)
            elif self.pipeline.is_group(path):
                found += [*self.group(path, task), *self.items(path, task)]
            # What did not come as far as looking for its inputs has none.
            if task["state"] == SUCCEEDED or task.get("inputs"):
                found += self.inputs(path, task)
        return found

    def nothing(self, path: str, task: dict) -> list:
        given = {*parameters(task, "outputs"), *artifacts(task, "outputs")} - {ir.LOGS}
        return [f"{path} is {task['state']}, and puts out {', '.join(sorted(given))}"] if given else []

    def group(self, path: str, task: dict) -> list:
        """Whether a group puts out what the tasks in it do, and nothing else."""
        declared = self.pipeline.component(path).get("outputDefinitions", {})
        what = path or "the run"
        wanted = {name: self.parameter(path, name) for name in declared.get("parameters", {})}
        found = differences(f"{what} and what it puts out", parameters(task, "outputs"), present(wanted))
        wanted = present({name: self.artifact(path, name) for name in declared.get("artifacts", {})})
        # A list of no artifacts may be left out.
        wanted = {name: ids for name, ids in wanted.items() if ids or name in artifacts(task, "outputs")}
        return found + differences(f"{what} and its artifacts", artifacts(task, "outputs"), wanted)

    def parameter(self, path: str, name: str):
        if self.pipeline.is_loop(path):
            gathers = self.collects(path, name)
            values = [value for one in self.iterations(path) if (value := self.parameter(one, name)) is not ABSENT]
            return [item for value in values for item in value] if gathers else values
        if not self.pipeline.is_group(path):
            return parameters(self.tasks[path], "outputs").get(name, ABSENT)
        for part in selectors(self.pipeline.component(path)["dag"]["outputs"]["parameters"][name]):
            child = f"{path}/{part['producerSubtask']}".lstrip("/")
            if self.tasks.get(child, {}).get("state") == SUCCEEDED:
                return self.parameter(child, part["outputParameterKey"])
        return ABSENT

    def artifact(self, path: str, name: str):
        """The ids of the artifacts of an output."""
        if self.pipeline.is_loop(path):
            return [each for one in self.iterations(path) if (ids := self.artifact(one, name)) is not ABSENT for each in ids]
        if not self.pipeline.is_group(path):
            return artifacts(self.tasks[path], "outputs").get(name, ABSENT)
        for part in self.pipeline.component(path)["dag"]["outputs"]["artifacts"][name]["artifactSelectors"]:
            child = f"{path}/{part['producerSubtask']}".lstrip("/")
            if self.tasks.get(child, {}).get("state") == SUCCEEDED:
                return self.artifact(child, part["outputArtifactKey"])
        return ABSENT

    def collects(self, path: str, name: str) -> bool:
        """Whether one iteration of a loop puts out a list because it has it from a loop; such lists become one."""
        part = selectors(self.pipeline.component(path)["dag"]["outputs"]["parameters"][name])[0]
        child = f"{path}[0]/{part['producerSubtask']}"
        if self.pipeline.is_loop(child):
            return True
        return self.pipeline.is_group(child) and self.collects(child, part["outputParameterKey"])

    def iterations(self, path: str) -> list:
        found = [other for other in self.tasks if ir.index_of(other) is not None and ir.parent_of(other) == path
                 and self.tasks[other]["state"] == SUCCEEDED]
        return sorted(found, key=ir.index_of)

    def items(self, path: str, task: dict) -> list:
        """Whether a loop that succeeded has an iteration for each of its items, and each its own."""
        iterator = self.pipeline.task(path).get("parameterIterator")
        if iterator is None or not self.pipeline.is_loop(path):
            return []
        source = iterator["items"]
        items = source["raw"] if "raw" in source else parameters(task, "inputs").get(source["inputParameter"])
        items = json.loads(items) if isinstance(items, str) else items
        taken = [parameters(self.tasks[one], "inputs").get(iterator["itemInput"]) for one in self.iterations(path)]
        return differences(f"{path} and the items of its iterations", taken, items)

    def above(self, path: str, kind: str, name: str):
        """What the group that a task is in was given by this name. Of an iteration, some is its loop's."""
        group = path.rpartition("/")[0]
        if not group:
            return self.given.get(kind, {}).get(name, ABSENT)
        read = parameters if kind == "parameters" else artifacts
        inside = read(self.tasks[group], "inputs")
        return inside[name] if name in inside else read(self.tasks[ir.ITERATION.sub("", group)], "inputs").get(name, ABSENT)

    def inputs(self, path: str, task: dict) -> list:
        """Whether a task took what those have put out that its inputs name, and what it is in was given."""
        if ir.index_of(path) is not None:
            return []
        sources, found = self.pipeline.task(path).get("inputs", {}), []
        declared = self.pipeline.component(path).get("inputDefinitions", {}).get("parameters", {})
        for name, source in sources.get("artifacts", {}).items():
            wanted = ABSENT
            if "taskOutputArtifact" in source:
                part = source["taskOutputArtifact"]
                wanted = self.artifact(ir.beside(path, part["producerTask"]), part["outputArtifactKey"])
            else:
                wanted = self.above(path, "artifacts", source["componentInputArtifact"])
            found += differences(f"{path} and its artifact {name}", artifacts(task, "inputs").get(name, []),
                                 [] if wanted is ABSENT else wanted)
        for name, source in sources.get("parameters", {}).items():
            wanted = ABSENT
            if "taskOutputParameter" in source:
                part = source["taskOutputParameter"]
                wanted = self.parameter(ir.beside(path, part["producerTask"]), part["outputParameterKey"])
            elif "componentInputParameter" in source:
                wanted = self.above(path, "parameters", source["componentInputParameter"])
            # Selectors take something else, and where nothing is given a default may be.
            if wanted in (ABSENT, None) or "parameterExpressionSelector" in source:
                continue
            is_text = declared.get(name, {}).get("parameterType") == "STRING"
            found += differences(f"{path} and its parameter {name}", parameters(task, "inputs").get(name, ABSENT),
                                 text_of(wanted) if is_text else wanted)
        return found


def selectors(output: dict) -> list:
    return [output["valueFromParameter"]] if "valueFromParameter" in output else output["valueFromOneof"]["parameterSelectors"]


def parameters(task: dict, way: str) -> dict:
    return task.get(way, {}).get("parameters", {})


def artifacts(task: dict, way: str) -> dict:
    """The ids of a task's artifacts by their names."""
    lists = task.get(way, {}).get("artifacts", {})
    return {name: [artifact["artifact_id"] for artifact in each.get("artifacts", [])] for name, each in lists.items()}


def present(values: dict) -> dict:
    return {name: value for name, value in values.items() if value is not ABSENT}


def text_of(value) -> str:
    """How a value looks where a text is wanted."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def differences(what: str, is_, wanted) -> list:
    if is_ == wanted:
        return []
    said = ["nothing" if each is ABSENT else json.dumps(each)[:400] for each in (is_, wanted)]
    return [f"{what}: {said[0]}, and by the IR it must be {said[1]}"]
