"""Namespaces at the edge of their quotas, over REST, gRPC and the SDK.

It proves: what is one too many is refused with 429 and ResourceExhausted, in words that say which quota, how many there
are and what to do, and leaves nothing behind; what is deleted or has ended makes room, and a retry takes some; of many who
ask at once as many get through as there is room for; a namespace with a quota of its own has that one; and everybody reads
how their own namespace stands, and nobody another's.
"""
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import stubs  # noqa: F401 makes what follows
import grpc
import rest
from backend.api.v2beta1 import pipeline_pb2, pipeline_pb2_grpc
from bulkhead.v1 import quotas_pb2, quotas_pb2_grpc
from harness.server import Server

V1, V2, QUOTA = "/apis/v1beta1", "/apis/v2beta1", "/apis/bulkhead/v1/quota"
CONFIG = {"quotas": {"active_runs": 2, "stored_runs": 4, "pipelines": 2, "recurring_runs": 1,
                     "namespaces": {"john-roe": {"pipelines": 3, "active_runs": 0}}}}
SPEC = {
    "pipelineInfo": {"name": "nap"}, "schemaVersion": "2.1.0",
    "deploymentSpec": {"executors": {"exec": {"container": {"image": "alpine", "command": ["sleep", "600"]}}}},
    "components": {"comp-nap": {"executorLabel": "exec"}},
    "root": {"dag": {"tasks": {"nap": {"componentRef": {"name": "comp-nap"}, "taskInfo": {"name": "nap"}}}}},
}
ASK = "or ask who runs this server for a larger quota"
SDK = """
import os, sys, kfp, kfp_server_api
client = kfp.Client(host=os.environ["KFP_HOST"], existing_token=os.environ["TOKEN"])
try:
    client.upload_pipeline(os.environ["PIPELINES"] + "/words.yaml", pipeline_name="third", namespace="jane-doe")
except kfp_server_api.ApiException as error:
    print(error.status)
    print(error)
"""


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="quotas-", ignore_cleanup_errors=True, dir=os.environ.get("SCRATCH")) as scratch:
        server = Server(Path(scratch) / "server", config=CONFIG).start()
        try:
            jane = rest.Rest(server.host, server.secret("jane@example.com"))
            john = rest.Rest(server.host, server.secret("john@example.com"))
            pipelines(server, jane, john)
            runs(jane)
            recurring(jane)
            standing(server, jane, john)
            server.stop()
        finally:
            server.kill()
    print("refused one too many of each, and told how each namespace stands")
    return 0


def refused(answer: rest.Answer, *words: str) -> str:
    """The text of a refusal by quota: it has all these words, and does not say to wait."""
    assert (answer.status, answer.json()["code"]) == (429, 8), (answer.status, answer.text())
    assert "retry-after" not in answer.headers, answer.headers
    text = answer.json()["message"]
    assert all(word in text for word in (*words, ASK)), text
    return text


def used(who: rest.Rest, namespace: str, quota: str) -> tuple:
    """How many there are, and how many there may be."""
    quotas = {each["name"]: each for each in who.ok("GET", QUOTA, query={"namespace": namespace})["quotas"]}
    assert set(quotas) == {"active_runs", "stored_runs", "pipelines", "recurring_runs"}, quotas
    return quotas[quota].get("used", 0), quotas[quota].get("limit", 0)


def pipelines(server: Server, jane: rest.Rest, john: rest.Rest) -> None:
    first = jane.pipeline("words", "first", "jane-doe")
    jane.pipeline("words", "second", "jane-doe")
    words = ("quota pipelines of namespace jane-doe is used up, 2 of 2: delete pipelines, ",)
    named, content = {"name": "third", "namespace": "jane-doe"}, rest.compiled("words")
    text = {
        refused(jane.upload(f"{V2}/pipelines/upload", content, query=named), *words),
        refused(jane.upload(f"{V1}/pipelines/upload", content, query=named), *words),
        refused(jane.call("POST", f"{V2}/pipelines", named), *words),
    }
    with grpc.insecure_channel(server.host.removeprefix("http://")) as channel:
        request = pipeline_pb2.CreatePipelineRequest(pipeline=pipeline_pb2.Pipeline(display_name="third", namespace="jane-doe"))
        try:
            pipeline_pb2_grpc.PipelineServiceStub(channel).CreatePipeline(request, metadata=bearer(jane))
            raise AssertionError("one pipeline too many was made over gRPC")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED, error
            assert "retry-after" not in dict(error.trailing_metadata()), error
            text.add(error.details())
    assert len(text) == 1, text
    env = os.environ | {"KFP_HOST": server.host, "TOKEN": jane.token}
    said = subprocess.run([os.environ["KFP2_PYTHON"], "-W", "ignore", "-c", SDK], env=env, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    assert said.stdout.startswith("429\n") and text.pop() in said.stdout, said
    # Who makes again what is there hears that it is, and versions have no quota.
    again = jane.upload(f"{V2}/pipelines/upload", content, query={"name": "second", "namespace": "jane-doe"})
    assert again.status == 409, again.text()
    version = jane.upload(f"{V2}/pipelines/upload_version", content, query={"name": "another", "pipelineid": first})
    assert version.status == 200, version.text()
    # Another namespace has a quota of its own.
    for name in ("first", "second", "third"):
        john.pipeline("words", name, "john-roe")
    john_too_many = john.call("POST", f"{V2}/pipelines", {"name": "fourth", "namespace": "john-roe"})
    refused(john_too_many, "quota pipelines of namespace john-roe is used up, 3 of 3")
    jane.ok("DELETE", f"{V2}/pipelines/{first}", query={"cascade": "true"})
    jane.pipeline("words", "third", "jane-doe")


def runs(jane: rest.Rest) -> None:
    experiments = [jane.experiment(name, "jane-doe") for name in ("one", "two", "three")]

    def ask(number: int) -> rest.Answer:
        body = {"display_name": f"nap {number}", "experiment_id": experiments[number % 3], "pipeline_spec": SPEC}
        return jane.call("POST", f"{V2}/runs", body)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(ask, range(12)))
    made = [answer.json()["run_id"] for answer in answers if answer.status == 200]
    assert len(made) == 2, [answer.text() for answer in answers]
    for answer in answers:
        if answer.status != 200:
            refused(answer, "quota active_runs of namespace jane-doe is used up, 2 of 2: wait until runs have ended")
    assert used(jane, "jane-doe", "active_runs") == (2, 2)
    first, second = made
    jane.ok("POST", f"{V2}/runs/{first}:terminate")
    assert jane.ended(first)["state"] == "FAILED"
    third = ask(3).json()["run_id"]
    # What had ended would be active again.
    for path in (f"{V2}/runs/{first}:retry", f"{V1}/runs/{first}/retry"):
        refused(jane.call("POST", path), "quota active_runs of namespace jane-doe is used up, 2 of 2")
    assert jane.ok("GET", f"{V2}/runs/{first}")["state"] == "FAILED"
    jane.ok("POST", f"{V2}/runs/{third}:terminate")
    jane.ended(third)
    jane.ok("POST", f"{V2}/runs/{first}:retry")
    for run in (first, second):
        jane.ok("POST", f"{V2}/runs/{run}:terminate")
        jane.ended(run)
    # Three are stored, and a fourth is the last.
    fourth = ask(4).json()["run_id"]
    words = ("quota stored_runs of namespace jane-doe is used up, 4 of 4: delete runs (archived ones count too)",)
    refused(ask(5), *words)
    jane.ok("POST", f"{V2}/runs/{first}:archive")
    refused(ask(6), *words)
    jane.ok("DELETE", f"{V2}/runs/{first}")
    # A run that is deleted while it works has ended.
    jane.ok("DELETE", f"{V2}/runs/{fourth}")
    assert used(jane, "jane-doe", "active_runs") == (0, 2) and used(jane, "jane-doe", "stored_runs") == (2, 4)
    assert [ask(number).status for number in (7, 8, 9)] == [200, 200, 429]


def recurring(jane: rest.Rest) -> None:
    experiment = jane.experiment("nightly", "jane-doe")
    v2 = {"display_name": "nightly", "experiment_id": experiment, "max_concurrency": 1, "mode": "DISABLE", "pipeline_spec": SPEC,
          "trigger": {"cron_schedule": {"cron": "0 0 0 1 1 *"}}}
    pipeline = jane.ok("GET", f"{V2}/pipelines", query={"namespace": "jane-doe"})["pipelines"][0]["pipeline_id"]
    owner = {"key": {"type": "EXPERIMENT", "id": experiment}, "relationship": "OWNER"}
    v1 = {"name": "nightly", "max_concurrency": "1", "enabled": False, "trigger": {"cron_schedule": {"cron": "0 0 0 1 1 *"}},
          "resource_references": [owner], "pipeline_spec": {"pipeline_id": pipeline}}
    made = jane.ok("POST", f"{V2}/recurringruns", v2)["recurring_run_id"]
    for path, body in ((f"{V2}/recurringruns", v2), (f"{V1}/jobs", v1)):
        refused(jane.call("POST", path, body), "quota recurring_runs of namespace jane-doe is used up, 1 of 1")
    # It was counted as it was.
    jane.ok("POST", f"{V2}/recurringruns/{made}:enable")
    jane.ok("DELETE", f"{V2}/recurringruns/{made}")
    jane.ok("POST", f"{V1}/jobs", v1)


def standing(server: Server, jane: rest.Rest, john: rest.Rest) -> None:
    assert used(john, "john-roe", "pipelines") == (3, 3) and used(john, "john-roe", "active_runs") == (0, 0)
    assert used(jane, "jane-doe", "pipelines") == (2, 2) and used(jane, "jane-doe", "recurring_runs") == (1, 1)
    for who, namespace in ((john, "jane-doe"), (jane, "john-roe"), (jane, "nowhere")):
        assert who.call("GET", QUOTA, query={"namespace": namespace}).status == 403
    assert jane.call("GET", QUOTA).status == 400
    with grpc.insecure_channel(server.host.removeprefix("http://")) as channel:
        stub = quotas_pb2_grpc.QuotaServiceStub(channel)
        told = stub.GetQuota(quotas_pb2.GetQuotaRequest(namespace="john-roe"), metadata=bearer(john)).quotas
        expect = [("active_runs", 0, 0), ("stored_runs", 4, 0), ("pipelines", 3, 3), ("recurring_runs", 1, 0)]
        assert [(quota.name, quota.limit, quota.used) for quota in told] == expect, told
        try:
            stub.GetQuota(quotas_pb2.GetQuotaRequest(namespace="jane-doe"), metadata=bearer(john))
            raise AssertionError("John was told how Jane's namespace stands")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.PERMISSION_DENIED, error


def bearer(who: rest.Rest) -> list:
    return [("authorization", f"Bearer {who.token}")]


if __name__ == "__main__":
    sys.exit(main())
