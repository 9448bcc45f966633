"""What tasks print and put out, over REST and gRPC.

It proves: a log is followed while its task runs, and read whole afterwards, by the task's id and its name; an artifact
comes back byte for byte; folders and metadata are no files; another tenant hears of nothing, nobody is asked to log
in, and a contributor may read; and who loses the right while a log is followed reads no more of it.
"""
import base64
import http.client
import json
import os
import subprocess
import time
import uuid
from pathlib import Path

import grpc

import rest

namespace, tag = os.environ["KFP_NAMESPACE"], uuid.uuid4().hex[:8]
profiles = Path(os.environ["SERVER_FOLDER"]) / "profiles"
jane, john, nobody = rest.jane(), rest.john(), rest.nobody()


def somebody(user):
    command = [os.environ["BULKHEAD"], "token", "create", "--user", user, "--expires", "1d"]
    command += ["--data-dir", os.environ["SERVER_DATA"]]
    made = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True)
    return rest.Rest(token=made.stdout.strip().splitlines()[-1])


def until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.1)
    return found


class Follower:
    """An answer that is read while it is still coming."""

    def __init__(self, who, path):
        self.connection = http.client.HTTPConnection(who.address, timeout=60)
        self.connection.request("GET", path, headers={"Authorization": f"Bearer {who.token}"})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, (self.answer.status, self.answer.read())
        assert self.answer.getheader("Content-Type") == "text/plain; charset=utf-8"
        self.text = b""

    def until(self, words):
        while words not in self.text:
            more = self.answer.read1(65536)
            assert more, f"the log ended without {words}: {self.text}"
            self.text += more

    def rest(self):
        while more := self.answer.read1(65536):
            self.text += more
        self.connection.close()
        return self.text


viewer, guest = somebody("viewer@example.com"), somebody("guest@example.com")
experiment, pipeline = jane.experiment(tag), jane.pipeline("murmur", tag)
run = jane.run(experiment, pipeline, parameters={"words": tag, "lines": 20})
details = until(
    lambda: jane.ok("GET", f"/apis/v2beta1/runs/{run}").get("run_details", {}).get("task_details"), "the run has a task")
task = details[0]["task_id"]
assert details[0]["pod_name"] == task, details


def log(version="v1alpha1", node="murmur", query=""):
    return f"/apis/{version}/runs/{run}/nodes/{node}/log{query}"


def artifact(name, version="v2beta1", node="murmur", of=None):
    return f"/apis/{version}/runs/{of or run}/nodes/{node}/artifacts/{name}:read"


# While it runs.
follower = Follower(jane, log(query="?follow=true"))
follower.until(f"{tag} 0\n".encode())
assert jane.ok("GET", f"/apis/v2beta1/runs/{run}")["state"] == "RUNNING", "the first line came when all was over"
assert f"{tag} 19\n".encode() not in follower.text, "it came at once"
by_id = Follower(viewer, log("v1beta1", task, "?follow=1"))
by_id.until(f"{tag} 0\n".encode())
follower.rest()
by_id.rest()

# Afterwards. The SDK around the component has things to say too.
assert jane.ended(run)["state"] == "SUCCEEDED"
lines = jane.call("GET", log()).body
said = [line for line in lines.decode().split("\n") if line.startswith(tag)]
assert said == [f"{tag} {number}" for number in range(20)], said
assert follower.text == by_id.text == lines, (follower.text, by_id.text)
for version in ("v1alpha1", "v1beta1"):
    for node in ("murmur", task):
        for who in (jane, viewer):
            for query in ("", "?follow=false", "?follow=true"):
                answer = who.call("GET", log(version, node, query))
                assert (answer.status, answer.body) == (200, lines), answer
                assert answer.headers["x-content-type-options"] == "nosniff"

content = bytes(range(256)) * 1000 + tag.encode()
for version in ("v1beta1", "v2beta1"):
    for node in ("murmur", task):
        for who in (jane, viewer):
            answer = who.call("GET", artifact("notes", version, node))
            assert answer.status == 200 and answer.headers["content-type"] == "application/json", answer.status
            assert answer.headers["cache-control"] == "no-cache, private"
            assert base64.b64decode(answer.json()["data"]) == content
        answer = jane.ok("GET", artifact("main-logs", version, node))
        assert base64.b64decode(answer["data"]) == lines
for name, status, words in (
    ("shelf", 400, "is a folder"), ("score", 404, "Artifact score not found"), ("Output", 404, "Artifact Output not found"),
    ("..%2f..%2f..%2f..%2fbulkhead.db", 404, "not found"), ("%2fetc%2fpasswd", 404, "not found"), ("..", 404, "not found"),
):
    answer = jane.call("GET", artifact(name))
    assert answer.status == status and words in answer.json()["message"], (name, answer)
for node in ("other", "..", "..%2f" + task, "%2fetc"):
    answer = jane.call("GET", log(node=node))
    assert answer.status == 404 and answer.json()["code"] == 5, (node, answer)
for method in ("POST", "DELETE", "HEAD"):
    assert jane.call(method, log()).status == 501

# For others.
for path in (log(), log("v1beta1", task, "?follow=true"), artifact("notes"), artifact("notes", "v1beta1", task)):
    foreign = john.call("GET", path)
    nowhere = john.call("GET", path.replace(run, "x" * len(run)))
    assert foreign.status == 404 and foreign.body.replace(run.encode(), b"x" * len(run)) == nowhere.body, (foreign, nowhere)
    for who in (nobody, rest.Rest(token="not-a-token")):
        answer = who.call("GET", path)
        assert answer.status == 401 and answer.json()["code"] == 16, answer

# gRPC.
import stubs  # noqa: E402, F401
from bulkhead.v1 import files_pb2, files_pb2_grpc  # noqa: E402

channel = grpc.insecure_channel(jane.address)
logs, artifacts = files_pb2_grpc.LogServiceStub(channel), files_pb2_grpc.ArtifactServiceStub(channel)


def read(who, call, request):
    metadata = [("authorization", f"Bearer {who.token}")] if who.token else []
    try:
        return b"".join(chunk.data for chunk in call(request, metadata=metadata, timeout=60))
    except grpc.RpcError as error:
        return error.code(), error.details()


for call, request, whole in (
    (logs.ReadLog, files_pb2.ReadLogRequest(run_id=run, node_id=task), lines),
    (logs.ReadLog, files_pb2.ReadLogRequest(run_id=run, node_id="murmur", follow=True), lines),
    (artifacts.ReadArtifact, files_pb2.ReadArtifactRequest(run_id=run, node_id=task, artifact_name="notes"), content),
):
    assert read(jane, call, request) == read(viewer, call, request) == whole
    assert read(john, call, request) == (grpc.StatusCode.NOT_FOUND, f"Run {run} not found")
    assert read(nobody, call, request)[0] == grpc.StatusCode.UNAUTHENTICATED

# A right that is withdrawn. The task would say more for longer than anybody here waits.
binding = profiles / "guest.yaml"
binding.write_text(json.dumps({
    "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
    "metadata": {"name": "guest", "namespace": namespace},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "kubeflow-view"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "guest@example.com"}],
}))
run = jane.run(experiment, pipeline, parameters={"words": tag, "lines": 2000})
until(lambda: guest.call("GET", log()).status == 200, "the guest may read")
follower, ours = Follower(guest, log(query="?follow=true")), Follower(jane, log(query="?follow=true"))
follower.until(f"{tag} 0\n".encode())
grpc_follower = logs.ReadLog(
    files_pb2.ReadLogRequest(run_id=run, node_id="murmur", follow=True),
    metadata=[("authorization", f"Bearer {guest.token}")], timeout=120)
assert next(grpc_follower).data
binding.unlink()
try:
    raise AssertionError(f"the log looked whole when the right was gone: {follower.rest()[-100:]}")
except http.client.IncompleteRead:
    pass
try:
    for _ in grpc_follower:
        pass
    raise AssertionError("the log looked whole when the right was gone")
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.PERMISSION_DENIED, error
assert guest.call("GET", log()).status == 404
# Who still has the right reads on.
ours.until(f"{tag} {follower.text.count(tag.encode()) + 2}\n".encode())
jane.call("POST", f"/apis/v2beta1/runs/{run}:terminate")
ours.rest()
assert jane.ended(run)["state"] == "FAILED"
print(f"{len(lines)} bytes of log, {len(content)} of an artifact, for those who may")
