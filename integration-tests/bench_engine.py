#!/usr/bin/env python3
"""What the engine adds to the processes that it runs, beside bare processes and the SDK's own local runner.

    bench_engine.py [--json FILE]

Starts a server of its own (the program that BULKHEAD names, else target/release/bulkhead). Absolute figures are this
machine's; the ratios are what counts. The SDK's runner is measured where KFP2_PYTHON names an interpreter with kfp.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
os.environ.setdefault("BULKHEAD", str(HERE.parent / "target" / "release" / "bulkhead"))
sys.path[:0] = [str(HERE), str(HERE / "programs")]

from harness.server import BINARY, Server  # noqa: E402
import rest  # noqa: E402

LOCAL = """
import time
from kfp import dsl, local
local.init(local.SubprocessRunner(use_venv=False), raise_on_error=True)
@dsl.component(install_kfp_package=False)
def noop():
    pass
@dsl.pipeline
def chain():
    last = noop()
    for _ in range(9):
        last = noop().after(last)
began = time.monotonic()
chain()
print("seconds", time.monotonic() - began)
"""


def spec(tasks: dict, components: dict = {}) -> dict:
    return {"pipelineInfo": {"name": "bench"}, "schemaVersion": "2.1.0",
            "deploymentSpec": {"executors": {"exec": {"container": {"image": "none", "command": ["true"]}}}},
            "components": {"comp-noop": {"executorLabel": "exec"}, **components}, "root": {"dag": {"tasks": tasks}}}


def chain(length: int) -> dict:
    return spec({f"t{at}": {"componentRef": {"name": "comp-noop"}, "taskInfo": {"name": f"t{at}"},
                            "dependentTasks": [f"t{at - 1}"] if at else []} for at in range(length)})


def fan(count: int, limit: int) -> dict:
    each = {"inputDefinitions": {"parameters": {"item": {"parameterType": "NUMBER_INTEGER"}}},
            "dag": {"tasks": {"noop": {"componentRef": {"name": "comp-noop"}, "taskInfo": {"name": "noop"}}}}}
    loop = {"componentRef": {"name": "comp-each"}, "taskInfo": {"name": "loop"},
            "parameterIterator": {"itemInput": "item", "items": {"raw": json.dumps(list(range(count)))}},
            "iteratorPolicy": {"parallelismLimit": limit}}
    return spec({"loop": loop}, {"comp-each": each})


class Bench:
    def __init__(self, server: Server, who: rest.Rest):
        self.server, self.who = server, who
        self.experiment = who.experiment("bench", "jane-doe")
        self.found = {}

    def runs(self, name: str, package: dict, runs: int = 1, tasks: int = 1) -> None:
        began = time.monotonic()
        body = {"display_name": "bench", "experiment_id": self.experiment, "pipeline_spec": package}
        ids = [self.who.ok("POST", "/apis/v2beta1/runs", body)["run_id"] for _ in range(runs)]
        for id_ in ids:
            assert self.who.ended(id_, 1200)["state"] == "SUCCEEDED", id_
        self.note(name, time.monotonic() - began, runs * tasks)

    def note(self, name: str, seconds: float, tasks: int) -> None:
        self.found[name] = {"seconds": round(seconds, 3), "ms_a_task": round(seconds * 1000 / tasks, 2), "rss_mib": self.memory()}
        print(f"{name:42} {seconds:8.2f} s {seconds * 1000 / tasks:8.2f} ms a task {self.memory():6.0f} MiB", flush=True)

    def memory(self) -> float:
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


def bare(count: int) -> float:
    began = time.monotonic()
    for _ in range(count):
        subprocess.run(["true"], stdin=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bulkhead-bench-") as folder:
        server = Server(Path(folder) / "server", config={"executor": {"max_tasks": 4}, "log": {"level": "warn,audit=off"}}).start()
        try:
            made = subprocess.run([str(BINARY), "token", "create", "--user", "jane@example.com", "--expires", "1d", "--data-dir",
                                   str(server.data)], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True)
            bench = Bench(server, rest.Rest(server.host, made.stdout.strip().splitlines()[-1]))
            bench.note("200 bare processes, one after the other", bare(200), 200)
            bench.runs("1 run of 1 task", chain(1))
            bench.runs("a chain of 200 tasks", chain(200), tasks=200)
            bench.runs("1,000 iterations, 50 at a time", fan(1000, 50), tasks=1000)
            bench.runs("100 runs at once of 10 tasks", chain(10), runs=100, tasks=10)
            if python := os.environ.get("KFP2_PYTHON"):
                # A file, since the SDK reads the source of components.
                program = Path(folder) / "chain.py"
                program.write_text(LOCAL)
                ran = subprocess.run([python, program], capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=folder)
                seconds = [line.split()[1] for line in ran.stdout.splitlines() if line.startswith("seconds ")]
                if seconds:
                    bench.note("kfp.local: a chain of 10 Python tasks", float(seconds[0]), 10)
                else:
                    print("skipped: kfp.local:", (ran.stderr.strip().splitlines() or ["it said nothing"])[-1])
            else:
                print("skipped: kfp.local: KFP2_PYTHON names no interpreter with kfp")
        finally:
            server.kill()
    if options.json:
        options.json.write_text(json.dumps(bench.found, indent=1) + "\n")


if __name__ == "__main__":
    main()
