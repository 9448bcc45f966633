"""Pipelines that are large, and pages of many of them.

It proves that a pipeline spec of 10 MiB inside of a run goes in and comes back whole, over gRPC and over REST, and that
lists of runs with specs of 256 KiB come in pages that a gRPC client takes without raising its limit of 4 MiB, each run
on one of them.
"""
import json
import os
import time

import grpc
from google.protobuf import json_format

import rest
import stubs  # noqa: F401: it makes what is imported below.
from backend.api.v1beta1 import resource_reference_pb2, run_pb2 as old, run_pb2_grpc as old_grpc
from backend.api.v2beta1 import run_pb2, run_pb2_grpc

KIB, MIB = 1 << 10, 1 << 20
RUNS = 200
V2 = "/apis/v2beta1"
JANE = [("authorization", f"Bearer {rest.token('KF_PIPELINES_SA_TOKEN_PATH')}")]
tag, jane = f"{time.time_ns():x}", rest.jane()


def client(*options):
    return run_pb2_grpc.RunServiceStub(grpc.insecure_channel(jane.address, options=options))


patient = client(("grpc.max_receive_message_length", 64 * MIB), ("grpc.max_send_message_length", 64 * MIB))
ordinary = client()
older = old_grpc.RunServiceStub(grpc.insecure_channel(jane.address))


def spec(*arguments):
    """A pipeline of one task, which does nothing with its arguments."""
    return {
        "pipelineInfo": {"name": "large"}, "schemaVersion": "2.1.0", "sdkVersion": "kfp-2.17.0",
        "components": {"comp-idle": {"executorLabel": "exec-idle"}},
        "deploymentSpec": {"executors": {"exec-idle": {"container": {
            "image": "python:3.11", "command": ["true"], "args": list(arguments)}}}},
        "root": {"dag": {"tasks": {"idle": {
            "cachingOptions": {}, "componentRef": {"name": "comp-idle"}, "taskInfo": {"name": "idle"}}}}},
    }


def arguments(of):
    return of["deploymentSpec"]["executors"]["exec-idle"]["container"]["args"]


# One of 10 MiB. What a process cannot have as an argument is no reason to refuse it; that is for the run to find out.
experiment = jane.experiment(f"large-{tag}")
large = spec("ahoy " * (10 * MIB // 5))
assert len(json.dumps(large)) > 10 * MIB - 5
over_rest = jane.ok("POST", f"{V2}/runs", {"display_name": "over REST", "experiment_id": experiment, "pipeline_spec": large})
message = run_pb2.Run(display_name="over gRPC", experiment_id=experiment)
json_format.ParseDict(large, message.pipeline_spec)
over_grpc = patient.CreateRun(run_pb2.CreateRunRequest(run=message), metadata=JANE)
for run_id in (over_rest["run_id"], over_grpc.run_id):
    assert arguments(jane.ok("GET", f"{V2}/runs/{run_id}")["pipeline_spec"]) == arguments(large)
    found = patient.GetRun(run_pb2.GetRunRequest(run_id=run_id), metadata=JANE)
    assert arguments(json_format.MessageToDict(found.pipeline_spec)) == arguments(large)
    # It cannot start, and says so; what matters here is that it ends.
    assert jane.ended(run_id)["state"] == "FAILED"

# Many of 256 KiB, each in arguments that a process can have.
experiment = jane.experiment(f"many-{tag}")
body = {"experiment_id": experiment, "pipeline_spec": spec(*["x" * 64 * KIB] * 4)}
made = [jane.ok("POST", f"{V2}/runs", {"display_name": f"run {number}", **body})["run_id"] for number in range(RUNS)]


def by_rest(page_token):
    page = jane.ok("GET", f"{V2}/runs", query={"experiment_id": experiment, "page_size": RUNS, "page_token": page_token})
    return [r["run_id"] for r in page["runs"]], page.get("next_page_token", ""), page["total_size"]


def by_grpc(page_token):
    page = ordinary.ListRuns(
        run_pb2.ListRunsRequest(experiment_id=experiment, page_size=RUNS, page_token=page_token), metadata=JANE)
    return [r.run_id for r in page.runs], page.next_page_token, page.total_size


def by_older_grpc(page_token):
    key = resource_reference_pb2.ResourceKey(type=resource_reference_pb2.EXPERIMENT, id=experiment)
    page = older.ListRunsV1(
        old.ListRunsRequest(resource_reference_key=key, page_size=RUNS, page_token=page_token), metadata=JANE)
    return [r.id for r in page.runs], page.next_page_token, page.total_size


def walk(list_page):
    """The pages of a list, up to the one that has no next."""
    page_token, pages = "", []
    while page_token or not pages:
        ids, page_token, total = list_page(page_token)
        assert ids and total == RUNS, (ids, total)
        pages.append(ids)
        assert len(pages) <= RUNS
    return pages


for list_page in (by_rest, by_older_grpc, by_grpc):
    pages = walk(list_page)
    assert len(pages) > 1, f"{list_page.__name__}: all of {RUNS * 256 // KIB} MiB in one page"
    assert [id_ for page in pages for id_ in page] == made, f"{list_page.__name__}: not every run once, and in order"
print(f"10 MiB there and back, {RUNS} runs in {len(pages)} pages; the first has {len(pages[0])}")
