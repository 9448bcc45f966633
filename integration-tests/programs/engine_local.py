"""What kfp.local, the SDK's own engine, makes of the pipelines of integration-tests/pipelines, beside what this server does.

It proves that where the two can be compared each task puts out the same parameters, and so does the run.

    programs/engine_local.py             through run.py, which starts the server
    programs/engine_local.py --written   compares kfp.local with the expectations instead, and needs no server

Of each feature one is compared, which is the first of its folder, since kfp.local takes seconds for each. With
ENGINE_LOCAL=all in the environment, or --all, all are, but those that `REASONS` names.
"""
import contextlib
import json
import logging
import multiprocessing
import os
import re
import sys
import tempfile
import time
import uuid
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

warnings.simplefilter("ignore")

import yaml  # noqa: E402
from kfp import components, local  # noqa: E402
from kfp.local import config  # noqa: E402
from kfp.local import io as local_io  # noqa: E402
from kfp.local import subprocess_task_handler  # noqa: E402

PIPELINES = Path(__file__).resolve().parents[1] / "pipelines"
AT_ONCE = 2
# Why some are not compared: where kfp.local cannot do a thing, or does it otherwise than KFP's backend and we.
# Runs that must fail are never compared; it has no failFast, and says of a failed run little more than that.
REASONS = {
    "It makes 1.0 of 1 in texts, in metadata and in what Python returns": (
        "artifacts/metadata", "collected/parameters", "loops/conditions", "loops/fields", "parameters/constants",
        "parameters/fstrings", "parameters/text_forms"),
    "It writes lists with spaces where a text is wanted": ("collected/from_pipelines", "collected/one_of", "loops/literals"),
    "It knows no artifacts of containers": (
        "artifacts/chain", "artifacts/folders", "caching/within_run", "conditions/one_of_artifacts", "nested/outputs",
        "optional/artifacts"),
    "It cannot do with null": (
        "containers/if_present", "optional/deep", "optional/nested", "optional/nulls", "parameters/output_files", "parameters/types"),
    "It takes text of users for placeholders": ("loops/parameters", "parameters/hostile_text"),
    "It takes no key of one's own": ("caching/custom_key", "caching/keys_of_components"),
    "It collects nothing from a loop over nothing": ("collected/empty",),
    "It collects lists of lists from nested loops; on purpose we do as the backend does": (
        "collected/nested", "collected/nested_artifacts"),
    "It fails where a producer was skipped": ("collected/skipped",),
    "It does not run a lone If over the output of a task": ("conditions/if_only", "conditions/nested_ifs"),
    "It runs what waits for a skipped task": ("conditions/skipped_upstream",),
    "It does not find what such loops are over": (
        "loops/artifacts", "loops/artifacts_to_artifacts", "loops/nested", "loops/task_outputs", "loops/text_kept",
        "loops/text_lists"),
    "Its exit tasks are told SUCCEEDED, and not COMPLETE": ("exit_handlers/body_succeeds", "exit_handlers/status"),
    "What is put out has URIs, ids, or times in it": (
        "importers/task_outputs", "importers/workspace", "job_placeholders", "loops/parallelism", "ordering/after"),
    "It sets no KFP_RETRY_INDEX": ("retries", "timeouts/retried"),
    "It applies no selectors outside of loops": ("selectors",),
    "It fills in no configuration": ("task_config",),
    "It wants the folder of a workspace to be there": ("workspace/apart",),
}
NOT_COMPARED = {name for names in REASONS.values() for name in names}


class Failed(Exception):
    """Which of the two did not run a pipeline, and why."""


def main(options: list) -> int:
    began = time.monotonic()
    unknown, chosen = NOT_COMPARED, []
    for file in sorted(PIPELINES.glob("*/*.py")):
        names = {f"{file.parent.name}/{file.stem}", file.parent.name}
        unknown = unknown - names
        if not names & NOT_COMPARED and any(run.get("state") == "SUCCEEDED" for run in expectations(file)):
            chosen.append(file.with_suffix(".yaml"))
    if "--all" not in options and os.environ.get("ENGINE_LOCAL") != "all":
        chosen = list({file.parent: file for file in reversed(chosen)}.values())
    # A process for each, since kfp.local changes its process as a whole, and what it prints to.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(AT_ONCE, mp_context=spawn, max_tasks_per_child=1) as pool:
        wrong = [line for found in pool.map(differences, chosen, ["--written" in options] * len(chosen)) for line in found]
    wrong += [f"{name}: there is no such pipeline any more" for name in sorted(unknown)]
    for line in wrong:
        print(line)
    print(f"{len(chosen)} pipelines were compared with kfp.local, {len(wrong)} differences, in {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


def differences(package: Path, written: bool) -> list:
    """What one engine puts out and the other does not, in any of the runs that succeed."""
    found, name = [], f"{package.parent.name}/{package.stem}"
    allow_containers()
    for number, expected in enumerate(expectations(package), 1):
        if expected.get("state") != "SUCCEEDED":
            continue
        parameters, leaves = expected.get("parameters", {}), containers(package)
        try:
            theirs = run_locally(package, parameters, leaves)
            if written:
                ours = put_out(leaves, expected["tasks"], lambda task: task.get("outputs", {}))
            else:
                ours = run_on_server(package, parameters, leaves)
        except Failed as why:
            found.append(f"{name}, run {number}: {why}")
            continue
        found += [f"{name}, run {number}: only kfp.local has {each}" for each in (theirs - ours).elements()]
        found += [f"{name}, run {number}: kfp.local does not have {each}" for each in (ours - theirs).elements()]
    return found


def expectations(file: Path) -> list:
    """The runs of a pipeline, and what they must come to."""
    return list(yaml.safe_load_all(file.with_suffix(".expected.yaml").read_text()))


def containers(package: Path) -> set:
    """The names of the tasks that are no groups."""
    spec = next(yaml.safe_load_all(package.read_text()))
    dags = [component["dag"] for component in (spec["root"], *spec["components"].values()) if "dag" in component]
    return {key for dag in dags for key, task in dag["tasks"].items()
            if "executorLabel" in spec["components"][task["componentRef"]["name"]]}


def allow_containers() -> None:
    """Lets the runner take commands of containers, which are programs of this host, as those of our tasks are.

    A check that is made beforehand keeps it from doing so, and the folders of outputs have to be there.
    """
    run = subprocess_task_handler.run_local_subprocess

    def run_with_folders(full_command, **options):
        root = str(config.LocalExecutionConfig.instance.pipeline_root)
        for path in re.findall(re.escape(root) + r"/[^\s\"',]+", " ".join(full_command)):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        return run(full_command=full_command, **options)

    subprocess_task_handler.run_local_subprocess = run_with_folders
    subprocess_task_handler.SubprocessTaskHandler.validate_not_container_component = lambda *_: None


def run_locally(package: Path, parameters: dict, leaves: set) -> Counter:
    """The parameters that tasks put out, in no order, since iterations have none: task, name and value."""
    seen = Counter()
    put = local_io.IOStore.put_task_output

    def recorded(self, task_name, key, value):
        if task_name in leaves and not is_artifact(value):
            seen[triple(task_name, key, value)] += 1
        return put(self, task_name, key, value)

    local_io.IOStore.put_task_output = recorded
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as said:
        try:
            with contextlib.redirect_stdout(said):
                local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=folder, workspace_root=f"{folder}/workspace")
                components.load_component_from_file(str(package))(**parameters)
        except Exception as error:
            said.seek(0)
            last = [line.strip() for line in said if line.strip(" -\n")][-3:]
            raise Failed(f"kfp.local: {type(error).__name__}: {error}; the last that it said is {last}") from None
        finally:
            local_io.IOStore.put_task_output = put
    return seen


def is_artifact(value) -> bool:
    return hasattr(value, "uri") or (isinstance(value, list) and bool(value) and hasattr(value[0], "uri"))


def triple(task: str, name: str, value) -> str:
    return f"{task}.{name} = {json.dumps(plain(value), sort_keys=True)}"


def plain(value):
    """With whole numbers as such, wherever they are."""
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def put_out(leaves: set, tasks: dict, outputs) -> Counter:
    """The parameters that tasks by their paths have put out; `outputs` gives those of one."""
    return Counter(triple(path.rpartition("/")[2], name, value)
                   for path, task in tasks.items() if path.rpartition("/")[2] in leaves and task["state"] in ("SUCCEEDED", "CACHED")
                   for name, value in outputs(task).items())


def run_on_server(package: Path, parameters: dict, leaves: set) -> Counter:
    # It asks for the server as soon as it is imported.
    import engine

    name = f"{package.parent.name}-{package.stem}-{uuid.uuid4().hex[:8]}"
    answer = engine.start(list(yaml.safe_load_all(package.read_text())), engine.jane.experiment(name), name, parameters)
    if answer.status != 200:
        raise Failed(f"the server: {answer.status} {answer.text()}")
    _, tasks = engine.watch(answer.json()["run_id"])
    return put_out(leaves, tasks, lambda task: task.get("outputs", {}).get("parameters", {}))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
