#!/usr/bin/env python3
"""Compiles the pipelines: FEATURE/NAME.py becomes FEATURE/NAME.yaml beside it.

    compile.py [FEATURE/NAME...]     compiles all, or some
    compile.py --check [...]         only says whether what is there is what the SDK makes, and whether each
                                     NAME.expected.yaml tells all of the tasks that its pipeline has, and of no other

Needs kfp and kfp-kubernetes 2.17.3. A file has a function `pipeline`, and may have `edit(spec)`, which changes what the SDK made where the
SDK cannot say a thing itself; the docstring of `edit` gives the reason. What is edited is thus checked like all else.
`UNSTABLE` in a file is the reason why the SDK makes it differently each time, and why nothing is compared then.
"""
import argparse
import importlib.util
import os
import re
import sys
import tempfile
import warnings
from pathlib import Path

# Two tasks that are alike would else take each other's outputs, or not, as they happen to be scheduled.
os.environ["KFP_DISABLE_EXECUTION_CACHING_BY_DEFAULT"] = "true"

import yaml  # noqa: E402
from kfp import compiler  # noqa: E402

HERE = Path(__file__).resolve().parent
STATES = {"SUCCEEDED", "FAILED", "SKIPPED", "CACHED"}
RUN_WORDS = {"parameters", "refused", "open", "terminate", "state", "error", "outputs", "artifacts", "tasks"}
TASK_WORDS = {"state", "error", "attempt", "display_name", "type", "inputs", "outputs", "artifacts"}
ARTIFACT_WORDS = {"type", "uri", "metadata", "content", "folder", "again"}
ITERATION = re.compile(r"\[\d+\]$")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="FEATURE/NAME")
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args()
    sys.path.insert(0, str(HERE))
    sys.dont_write_bytecode = True
    warnings.simplefilter("ignore")
    wrong = 0
    files = [file for file in sorted(HERE.glob("*/*.py")) if not options.names or name_of(file) in options.names]
    if not files:
        sys.exit(f"there is no pipeline called {' or '.join(options.names)}")
    for file in files:
        (made, unstable), target = compiled(file), file.with_suffix(".yaml")
        if unstable and target.exists():
            made = target.read_text() if options.check else made
        if not options.check:
            target.write_text(made)
        elif not target.exists() or target.read_text() != made:
            print(f"{name_of(file)}: {target.name} is not what the SDK makes; run compile.py {name_of(file)}")
            wrong += 1
        for mistake in mistakes(file, made):
            print(f"{name_of(file)}: {mistake}")
            wrong += 1
    print(f"{len(files)} pipelines, {wrong} mistakes")
    return 1 if wrong else 0


def name_of(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


def compiled(file: Path) -> tuple:
    """The package of a pipeline, and why the next one may differ from it, if it may."""
    spec = importlib.util.spec_from_file_location(f"{file.parent.name}_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    # Where the SDK looks for the source of components.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "pipeline.yaml"
        compiler.Compiler().compile(module.pipeline, str(package))
        text = package.read_text()
    unstable = getattr(module, "UNSTABLE", "")
    if not hasattr(module, "edit"):
        return text, unstable
    documents = list(yaml.safe_load_all(text))
    module.edit(documents[0])
    reason = " ".join(module.edit.__doc__.split())
    return f"# Edited: {reason}\n" + yaml.safe_dump_all(documents, sort_keys=True), unstable


def mistakes(file: Path, package: str) -> list:
    """What is wrong with the expectations beside a pipeline, as far as can be said without running it."""
    expected = file.with_suffix(".expected.yaml")
    if not expected.exists():
        return [f"{expected.name} is missing"]
    spec, found = next(yaml.safe_load_all(package)), []
    for run in yaml.safe_load_all(expected.read_text()):
        found += [f"an unknown word: {word}" for word in sorted(run.keys() - RUN_WORDS)]
        if "refused" in run:
            continue
        found += [f"the run's state {run.get('state')}"] if run.get("state") not in STATES - {"CACHED"} else []
        for path, task in run.get("tasks", {}).items():
            found += mistakes_of_task(spec, path, task)
        found += missing(spec, run.get("tasks", {}))
        paths = [*run.get("open", {}), *([run["terminate"]] if "terminate" in run else [])]
        found += [f"it speaks of {path}, and does not expect it" for path in paths if path not in run.get("tasks", {})]
    return found


def mistakes_of_task(spec: dict, path: str, task: dict) -> list:
    found = [f"{path}: an unknown word: {word}" for word in sorted(task.keys() - TASK_WORDS)]
    found += [f"{path}: the state {task.get('state')}"] if task.get("state") not in STATES else []
    component = component_at(spec, path)
    if component is None:
        return [*found, f"the pipeline has no task {path}"]
    declared = component.get("outputDefinitions", {})
    found += [f"{path}: no output {name}" for name in task.get("outputs", {}).keys() - declared.get("parameters", {}).keys()]
    found += [f"{path}: no artifact {name}" for name in task.get("artifacts", {}).keys() - declared.get("artifacts", {}).keys()]
    for name, artifacts in task.get("artifacts", {}).items():
        for artifact in artifacts if isinstance(artifacts, list) else [artifacts]:
            found += [f"{path}: {name}: an unknown word: {word}" for word in sorted(artifact.keys() - ARTIFACT_WORDS)]
    return found if "dag" in component else found + untold(path, task, declared)


def untold(path: str, task: dict, declared: dict) -> list:
    """What the expectations leave open of a task that is no group."""
    outputs, artifacts = task.get("outputs", {}), task.get("artifacts", {})
    if task.get("state") not in ("SUCCEEDED", "CACHED"):
        found = [f"{path}: it has no outputs, since it is {task.get('state')}"] if outputs or artifacts else []
        return found + ([f"{path}: its error is left out"] if task.get("state") == "FAILED" and not task.get("error") else [])
    found = [f"{path}: the output {name} is left out" for name in declared.get("parameters", {}).keys() - outputs.keys()]
    found += [f"{path}: the artifact {name} is left out" for name in declared.get("artifacts", {}).keys() - artifacts.keys()]
    for name, artifact in artifacts.items():
        # What was imported from elsewhere has a URI, and its content is nowhere here.
        found += [] if "type" in artifact else [f"{path}: {name}: its type is left out"]
        found += [] if {"content", "folder", "uri"} & artifact.keys() else [f"{path}: {name}: its content is left out"]
    return found


def missing(spec: dict, tasks: dict) -> list:
    """Tasks of groups that began which the expectations leave out: all tasks of such a group are told."""
    parents = {""} | {path.rpartition("/")[0] for path in tasks}
    found = []
    for parent in sorted(parents):
        if parent and parent not in tasks:
            found.append(f"{parent} is left out, but not what is in it")
        below = {path.rpartition("/")[2] for path in tasks if path.rpartition("/")[0] == parent}
        dag = (component_at(spec, parent) if parent else spec["root"]) or {}
        found += [f"{parent}/{key}".lstrip("/") + " is left out" for key in dag.get("dag", {}).get("tasks", {}).keys() - below]
    return found


def component_at(spec: dict, path: str):
    """The component of the task at this path, if there is such a task."""
    component = spec["root"]
    for key in path.split("/"):
        task = component.get("dag", {}).get("tasks", {}).get(ITERATION.sub("", key))
        looped = task is not None and ("parameterIterator" in task or "artifactIterator" in task)
        if task is None or (ITERATION.search(key) and not looped):
            return None
        component = spec["components"][task["componentRef"]["name"]]
    return component


if __name__ == "__main__":
    sys.exit(main())
