"""Every route, as somebody sees it who has no right in the namespace that it is about.

It proves, for REST and for gRPC-Web: 403 where the request names a namespace; 404 where it names an id, with an answer
that does not differ by a byte from that for an id which does not exist; 401 without a token and with a bad one; and
that nothing has changed afterwards. The protos are read to make sure that no route is missing here.
"""
import base64
import json
import os
import re
import struct
import time
import uuid
from pathlib import Path

import rest

namespace, other_namespace = os.environ["KFP_NAMESPACE"], os.environ["OTHER_NAMESPACE"]
tag = f"outsider-{time.time_ns():x}"
jane, john = rest.jane(), rest.john()
strangers = (rest.nobody(), rest.Rest(token="not-a-token"), rest.Rest(token=jane.token[:-1]), rest.Rest(token=""))

ours = {
    "experiment": jane.experiment(tag),
    "pipeline": jane.pipeline("words", tag),
}
ours["version"] = jane.ok("GET", f"/apis/v2beta1/pipelines/{ours['pipeline']}/versions")["pipeline_versions"][0]["pipeline_version_id"]
ours["run"] = jane.run(ours["experiment"], ours["pipeline"])
tasks = jane.ended(ours["run"])["run_details"]["task_details"]
ours["node"] = next(task["task_id"] for task in tasks if task["display_name"] == "write-words")
ours["recurring"] = jane.ok("POST", "/apis/v2beta1/recurringruns", {
    "display_name": tag, "experiment_id": ours["experiment"], "max_concurrency": 1, "mode": "ENABLE",
    "pipeline_version_reference": {"pipeline_id": ours["pipeline"], "pipeline_version_id": ours["version"]},
    "trigger": {"cron_schedule": {"cron": "0 0 0 1 1 *"}}})["recurring_run_id"]
ours["token"] = jane.ok("POST", "/apis/bulkhead/v1/tokens", {"scope": {"verbs": ["get"]}})["token"]["token_id"]
ours["artifact"] = jane.ok("GET", "/apis/v2beta1/artifact_tasks", query={"task_ids": ours["node"]})["artifact_tasks"][0]["artifact_id"]
absent = {kind: str(uuid.uuid4()) for kind in ours} | {"token": uuid.uuid4().hex[:12]}
johns = john.experiment(tag, other_namespace)

OURS = {"key": {"type": "NAMESPACE", "id": namespace}, "relationship": "OWNER"}
IN_NAMESPACE = {"resource_reference_key.type": "NAMESPACE", "resource_reference_key.id": namespace}
URL = {"pipeline_url": "https://storage.googleapis.com/nowhere/pipeline.yaml"}


def reference(type_, id_, relationship="OWNER"):
    return {"key": {"type": type_, "id": id_}, "relationship": relationship}


# Requests that name the namespace: (method, path, query, body).
NAMED = [
    ("POST", "/apis/v2beta1/experiments", {}, {"display_name": "x", "namespace": namespace}),
    ("GET", "/apis/v2beta1/experiments", {"namespace": namespace}, None),
    ("POST", "/apis/v2beta1/pipelines", {}, {"name": "x", "namespace": namespace}),
    ("GET", "/apis/v2beta1/pipelines/names/{name}", {"namespace": namespace}, None),
    ("GET", "/apis/v2beta1/pipelines", {"namespace": namespace}, None),
    ("POST", "/apis/v2beta1/pipelines/create", {}, {
        "pipeline": {"name": "x", "namespace": namespace}, "pipeline_version": {"package_url": URL}}),
    ("GET", "/apis/v2beta1/runs", {"namespace": namespace}, None),
    ("GET", "/apis/v2beta1/recurringruns", {"namespace": namespace}, None),
    ("GET", "/apis/v2beta1/artifacts", {"namespace": namespace}, None),
    ("POST", "/apis/v1beta1/experiments", {}, {"name": "x", "resource_references": [OURS]}),
    ("GET", "/apis/v1beta1/experiments", IN_NAMESPACE, None),
    ("POST", "/apis/v1beta1/pipelines", {}, {"name": "x", "url": URL, "resource_references": [OURS]}),
    ("GET", "/apis/v1beta1/namespaces/{namespace}/pipelines/{name}", {}, None),
    ("GET", "/apis/v1beta1/pipelines", IN_NAMESPACE, None),
    ("GET", "/apis/v1beta1/runs", IN_NAMESPACE, None),
    ("GET", "/apis/v1beta1/jobs", IN_NAMESPACE, None),
]

NAMED += [
    *[("GET", f"/apis/{version}/auth", {"namespace": namespace, "resources": "VIEWERS", "verb": "GET"}, None)
      for version in ("v1beta1", "v2beta1")],
    *[("POST", f"/apis/{version}/visualizations/{{namespace}}", {}, {"type": "TABLE", "source": "x"})
      for version in ("v1beta1", "v2beta1")],
    ("GET", "/apis/v1alpha1/tasks", IN_NAMESPACE, None),
    ("GET", "/apis/bulkhead/v1/quota", {"namespace": namespace}, None),
    ("GET", "/apis/bulkhead/v1/schedules", {"namespace": namespace}, None),
]

# Requests that take a right in the whole cluster, which no tenant has, whatever they name.
WORKFLOW = json.dumps({"metadata": {"name": "x", "namespace": namespace, "uid": "x"}})
CLUSTER = [
    ("POST", f"/apis/{version}/{kind}", {}, json.dumps(WORKFLOW))
    for version in ("v1beta1", "v2beta1") for kind in ("workflows", "scheduledworkflows")
]

# Requests that take a login and nothing else, and are about whoever makes them.
ANYBODY = [("GET", f"/apis/{version}/filters", {}, None) for version in ("v1beta1", "v2beta1")]
ANYBODY += [("GET", f"/apis/bulkhead/v1/{what}", {}, None) for what in ("whoami", "namespaces", "tokens")]
ANYBODY += [
    ("GET", "/apis/bulkhead/v1/can-i", {"verb": "get", "resource": "runs", "namespace": namespace}, None),
    ("POST", "/apis/bulkhead/v1/tokens", {}, {"scope": {"verbs": ["get"]}}),
]

# Requests that name ids: the same, with the names of kinds where their ids go.
BY_ID = [
    ("GET", "/apis/v2beta1/experiments/{experiment}", {}, None),
    ("POST", "/apis/v2beta1/experiments/{experiment}:archive", {}, None),
    ("POST", "/apis/v2beta1/experiments/{experiment}:unarchive", {}, None),
    ("DELETE", "/apis/v2beta1/experiments/{experiment}", {}, None),
    ("GET", "/apis/v2beta1/pipelines/{pipeline}", {}, None),
    ("DELETE", "/apis/v2beta1/pipelines/{pipeline}", {}, None),
    ("DELETE", "/apis/v2beta1/pipelines/{pipeline}", {"cascade": "true"}, None),
    ("PATCH", "/apis/v2beta1/pipelines/{pipeline}", {}, {"display_name": "stolen"}),
    ("POST", "/apis/v2beta1/pipelines/{pipeline}/versions", {}, {"display_name": "x", "pipeline_id": "{pipeline}", "package_url": URL}),
    ("GET", "/apis/v2beta1/pipelines/{pipeline}/versions/{version}", {}, None),
    ("GET", "/apis/v2beta1/pipelines/{pipeline}/versions", {}, None),
    ("DELETE", "/apis/v2beta1/pipelines/{pipeline}/versions/{version}", {}, None),
    ("PATCH", "/apis/v2beta1/pipelines/{pipeline}/versions/{version}", {}, {"display_name": "stolen"}),
    ("POST", "/apis/v2beta1/runs", {}, {"display_name": "x", "experiment_id": "{experiment}"}),
    ("POST", "/apis/v2beta1/runs", {}, {
        "display_name": "x", "experiment_id": johns, "pipeline_version_reference": {"pipeline_id": "{pipeline}"}}),
    ("POST", "/apis/v2beta1/runs", {}, {
        "display_name": "x", "experiment_id": johns,
        "pipeline_version_reference": {"pipeline_id": "{pipeline}", "pipeline_version_id": "{version}"}}),
    ("GET", "/apis/v2beta1/runs", {"experiment_id": "{experiment}"}, None),
    ("GET", "/apis/v2beta1/runs/{run}", {}, None),
    ("POST", "/apis/v2beta1/runs/{run}:archive", {}, None),
    ("POST", "/apis/v2beta1/runs/{run}:unarchive", {}, None),
    ("DELETE", "/apis/v2beta1/runs/{run}", {}, None),
    ("POST", "/apis/v2beta1/runs/{run}:terminate", {}, None),
    ("GET", "/apis/bulkhead/v1/runs/{run}:watch", {}, None),
    ("GET", "/apis/bulkhead/v1/runs/{run}:followLogs", {}, None),
    ("POST", "/apis/v2beta1/runs/{run}:retry", {}, None),
    ("POST", "/apis/v2beta1/recurringruns", {}, {"display_name": "x", "experiment_id": "{experiment}", "max_concurrency": 1}),
    ("POST", "/apis/v2beta1/recurringruns", {}, {
        "display_name": "x", "experiment_id": johns, "max_concurrency": 1,
        "pipeline_version_reference": {"pipeline_id": "{pipeline}"}}),
    ("POST", "/apis/v2beta1/recurringruns", {}, {
        "display_name": "x", "experiment_id": johns, "max_concurrency": 1,
        "pipeline_version_reference": {"pipeline_id": "{pipeline}", "pipeline_version_id": "{version}"}}),
    ("GET", "/apis/v2beta1/recurringruns", {"experiment_id": "{experiment}"}, None),
    ("GET", "/apis/v2beta1/recurringruns/{recurring}", {}, None),
    ("POST", "/apis/v2beta1/recurringruns/{recurring}:enable", {}, None),
    ("POST", "/apis/v2beta1/recurringruns/{recurring}:disable", {}, None),
    ("DELETE", "/apis/v2beta1/recurringruns/{recurring}", {}, None),
    ("DELETE", "/apis/v2beta1/recurringruns/{recurring}", {"propagation_policy": "FOREGROUND"}, None),
    ("DELETE", "/apis/bulkhead/v1/tokens/{token}", {}, None),
    ("GET", "/apis/v1beta1/experiments/{experiment}", {}, None),
    ("DELETE", "/apis/v1beta1/experiments/{experiment}", {}, None),
    ("POST", "/apis/v1beta1/experiments/{experiment}:archive", {}, None),
    ("POST", "/apis/v1beta1/experiments/{experiment}:unarchive", {}, None),
    ("GET", "/apis/v1beta1/pipelines/{pipeline}", {}, None),
    ("DELETE", "/apis/v1beta1/pipelines/{pipeline}", {}, None),
    ("GET", "/apis/v1beta1/pipelines/{pipeline}/templates", {}, None),
    ("POST", "/apis/v1beta1/pipelines/{pipeline}/default_version/{version}", {}, None),
    ("POST", "/apis/v1beta1/pipeline_versions", {}, {
        "name": "x", "package_url": URL, "resource_references": [reference("PIPELINE", "{pipeline}")]}),
    ("GET", "/apis/v1beta1/pipeline_versions/{version}", {}, None),
    ("GET", "/apis/v1beta1/pipeline_versions", {"resource_key.type": "PIPELINE", "resource_key.id": "{pipeline}"}, None),
    ("DELETE", "/apis/v1beta1/pipeline_versions/{version}", {}, None),
    ("GET", "/apis/v1beta1/pipeline_versions/{version}/templates", {}, None),
    ("POST", "/apis/v1beta1/runs", {}, {"name": "x", "resource_references": [reference("EXPERIMENT", "{experiment}")]}),
    ("POST", "/apis/v1beta1/runs", {}, {
        "name": "x", "resource_references": [reference("EXPERIMENT", johns)], "pipeline_spec": {"pipeline_id": "{pipeline}"}}),
    ("POST", "/apis/v1beta1/runs", {}, {
        "name": "x",
        "resource_references": [reference("EXPERIMENT", johns), reference("PIPELINE_VERSION", "{version}", "CREATOR")]}),
    ("GET", "/apis/v1beta1/runs", {"resource_reference_key.type": "EXPERIMENT", "resource_reference_key.id": "{experiment}"}, None),
    ("GET", "/apis/v1beta1/runs/{run}", {}, None),
    ("POST", "/apis/v1beta1/runs/{run}:archive", {}, None),
    ("POST", "/apis/v1beta1/runs/{run}:unarchive", {}, None),
    ("DELETE", "/apis/v1beta1/runs/{run}", {}, None),
    ("POST", "/apis/v1beta1/runs/{run}:reportMetrics", {}, {"metrics": []}),
    ("POST", "/apis/v1beta1/runs/{run}/terminate", {}, None),
    ("POST", "/apis/v1beta1/runs/{run}/retry", {}, None),
    ("POST", "/apis/v1beta1/jobs", {}, {
        "name": "x", "max_concurrency": 1, "resource_references": [reference("EXPERIMENT", "{experiment}")]}),
    ("POST", "/apis/v1beta1/jobs", {}, {
        "name": "x", "max_concurrency": 1, "resource_references": [reference("EXPERIMENT", johns)],
        "pipeline_spec": {"pipeline_id": "{pipeline}"}}),
    ("POST", "/apis/v1beta1/jobs", {}, {
        "name": "x", "max_concurrency": 1,
        "resource_references": [reference("EXPERIMENT", johns), reference("PIPELINE_VERSION", "{version}", "CREATOR")]}),
    ("GET", "/apis/v1beta1/jobs", {"resource_reference_key.type": "EXPERIMENT", "resource_reference_key.id": "{experiment}"}, None),
    ("GET", "/apis/v1beta1/jobs/{recurring}", {}, None),
    ("POST", "/apis/v1beta1/jobs/{recurring}/enable", {}, None),
    ("POST", "/apis/v1beta1/jobs/{recurring}/disable", {}, None),
    ("DELETE", "/apis/v1beta1/jobs/{recurring}", {}, None),
]

BY_ID += [
    ("POST", "/apis/v1alpha1/tasks", {}, {
        "runId": "{run}", "pipelineName": "x", "mlmdExecutionID": "1", "fingerprint": "x", "created_at": "2026-01-01T00:00:00Z"}),
    ("GET", "/apis/v1alpha1/tasks", {"run_id": "{run}"}, None),
    ("POST", "/apis/v2beta1/runs", {}, {"display_name": "x", "experiment_id": johns, "recurring_run_id": "{recurring}"}),
    ("POST", "/apis/v1beta1/runs", {}, {
        "name": "x", "resource_references": [reference("EXPERIMENT", johns), reference("JOB", "{recurring}", "CREATOR")]}),
    ("GET", "/apis/v2beta1/tasks/{node}", {}, None),
    ("GET", "/apis/v2beta1/tasks", {"run_id": "{run}"}, None),
    ("GET", "/apis/v2beta1/tasks", {"parent_id": "{node}"}, None),
    ("POST", "/apis/v2beta1/tasks", {}, {"run_id": "{run}", "name": "x", "type": "RUNTIME"}),
    ("PATCH", "/apis/v2beta1/tasks/{node}", {}, {"status": "FAILED"}),
    ("GET", "/apis/v2beta1/artifacts/{artifact}", {}, None),
    *[("GET", "/apis/v2beta1/artifact_tasks", {f"{kind}_ids": id_}, None)
      for kind, id_ in (("task", "{node}"), ("run", "{run}"), ("artifact", "{artifact}"))],
    ("POST", "/apis/v2beta1/artifacts", {}, {
        "run_id": "{run}", "task_id": "{node}", "artifact": {"name": "x", "type": "Model", "uri": "s3://x/y"}}),
    ("POST", "/apis/v2beta1/artifact_tasks", {}, {
        "artifact_task": {"run_id": "{run}", "task_id": "{node}", "artifact_id": "{artifact}", "artifact_key": "x"}}),
    ("GET", "/apis/bulkhead/v1/schedules/{recurring}", {}, None),
    ("GET", "/apis/bulkhead/v1/schedules/{recurring}/ticks", {}, None),
    ("POST", "/apis/bulkhead/v1/schedules/{recurring}:fire", {}, None),
    ("POST", "/apis/bulkhead/v1/schedules/{recurring}:fire", {}, {}),
]

# The same, of routes that no proto declares.
FILES = [
    *[("GET", f"/apis/{version}/runs/{{run}}/nodes/{node}/log", query, None)
      for version in ("v1alpha1", "v1beta1") for node in ("{node}", "write-words") for query in ({}, {"follow": "true"})],
    *[("GET", f"/apis/{version}/runs/{{run}}/nodes/{node}/artifacts/{name}:read", {}, None)
      for version in ("v1beta1", "v2beta1") for node in ("{node}", "write-words") for name in ("words", "main-logs")],
]


def filled(value, ids):
    """A route or a body with ids in place of the names of their kinds."""
    text = json.dumps(value)
    for kind, id_ in {**ids, "name": tag, "namespace": namespace}.items():
        text = text.replace("{" + kind + "}", id_)
    return json.loads(text)


def ask(who, route, ids):
    method, path, query, body = filled(route, ids)
    return who.call(method, path, body, query)


def visible(answer, ids):
    """All that the caller sees, with its own ids blotted out, which are of one length."""
    text = answer.body
    for kind, id_ in ids.items():
        text = text.replace(id_.encode(), kind.encode())
    headers = {k: v for k, v in answer.headers.items() if k not in ("date", "x-request-id")}
    for kind, id_ in ids.items():
        headers = {k: v.replace(id_, kind) for k, v in headers.items()}
    return answer.status, headers, text


def keeps_out(route, ids=ours):
    for who in strangers:
        answer = ask(who, route, ids)
        assert answer.status == 401, f"{route} with {who.token!r}: {answer.status} {answer.text()}"
        assert answer.json()["code"] == 16, answer.text()


# Everything that the protos declare is in the tables, whatever its path calls its ids.
def shape(method, path):
    return method, re.sub(r"\{[^}]*\}", "{}", path)


declared = set()
for proto in Path(os.environ["PROTOS"]).rglob("*.proto"):
    for method, path in re.findall(r'\b(get|post|put|patch|delete): "(/apis/[^"]+)"', proto.read_text()):
        declared.add(shape(method.upper(), path))
public = {("GET", "/apis/v1beta1/healthz"), ("GET", "/apis/v2beta1/healthz")}
tried = {shape(method, path) for method, path, _, _ in NAMED + BY_ID + CLUSTER + ANYBODY}
assert declared - public == tried, f"not tried: {declared - public - tried}; not declared: {tried - declared}"

for route in NAMED:
    answer = ask(john, route, ours)
    assert answer.status == 403 and answer.json()["code"] == 7, f"{route}: {answer.status} {answer.text()}"
    # A namespace that is no tenant at all looks the same.
    nowhere = ask(john, json.loads(json.dumps(route).replace(namespace, "x" * len(namespace))), ours)
    if "{namespace}" not in route[1]:
        assert (nowhere.status, nowhere.body.replace(b"x" * len(namespace), namespace.encode())) == (403, answer.body), (
            route, answer.body, nowhere.body)
    keeps_out(route)

for route in CLUSTER:
    for who in (jane, john):
        answer = ask(who, route, ours)
        assert answer.status == 403 and answer.json()["code"] == 7, f"{route}: {answer.status} {answer.text()}"
    keeps_out(route)

for route in ANYBODY:
    answer = ask(john, route, ours)
    assert answer.status == 200 and "jane@" not in answer.text(), f"{route}: {answer.status} {answer.text()}"
    keeps_out(route)

for route in FILES:
    assert ask(jane, route, ours).status == 200, (route, ask(jane, route, ours))
for route in BY_ID + FILES:
    foreign, nowhere = visible(ask(john, route, ours), ours), visible(ask(john, route, absent), absent)
    assert foreign[0] == 404, f"{route}: {foreign}"
    assert foreign == nowhere, f"{route} tells a foreign id from an absent one:\n{foreign}\n{nowhere}"
    keeps_out(route)

# An own run does not lead to a foreign task.
johns_run = john.run(johns, john.pipeline("words", f"{tag}-run", other_namespace))
john.ended(johns_run)
for method, path, query, body in FILES:
    if "{node}" in path:
        foreign, nowhere = (visible(john.call(method, filled(path, {**ids, "run": johns_run}), None, query), ids)
                            for ids in (ours, absent))
        assert foreign[0] == 404, (path, foreign)
        assert foreign == nowhere, f"{path} tells a foreign task from an absent one:\n{foreign}\n{nowhere}"
john.ok("DELETE", f"/apis/v2beta1/runs/{johns_run}")

# An own pipeline does not lead to a foreign version.
mine = john.pipeline("words", tag, other_namespace)
for method in ("GET", "DELETE"):
    for ids in (ours, absent):
        mixed = john.call(method, f"/apis/v2beta1/pipelines/{mine}/versions/{ids['version']}")
        assert mixed.status == 404, mixed

# Uploads.
package = rest.compiled("words")
for version in ("v1beta1", "v2beta1"):
    path = f"/apis/{version}/pipelines/upload"
    answer = john.upload(path, package, query={"name": "smuggled", "namespace": namespace})
    assert answer.status == 403, f"{path}: {answer.status} {answer.text()}"
    path = f"/apis/{version}/pipelines/upload_version"
    foreign, nowhere = (visible(john.upload(path, package, query={"name": "smuggled", "pipelineid": ids["pipeline"]}), ids)
                        for ids in (ours, absent))
    assert foreign[0] == 404, f"{path}: {foreign}"
    assert foreign == nowhere, f"{path} tells a foreign id from an absent one:\n{foreign}\n{nowhere}"
    for who in strangers:
        for where in (f"/apis/{version}/pipelines/upload", path):
            for query in ({"name": "x"}, {"name": "x", "namespace": namespace}, {"name": "x", "pipelineid": ours["pipeline"]}):
                answer = who.upload(where, package, query=query)
                assert answer.status in ((401,) if "pipelineid" in query or "version" not in where else (400, 401)), (where, query, answer)

# Nobody is somebody because they say so.
for header in ("kubeflow-userid", "x-goog-authenticated-user-email", "x-forwarded-user", "x-remote-user"):
    for claim in ("jane@example.com", "accounts.google.com:jane@example.com"):
        answer = rest.nobody().call("GET", f"/apis/v2beta1/experiments?namespace={namespace}", headers={header: claim})
        assert answer.status == 401, (header, claim, answer)
        answer = john.call("GET", f"/apis/v2beta1/experiments?namespace={namespace}", headers={header: claim})
        assert answer.status in (400, 401, 403), (header, claim, answer)


# gRPC-Web, as a browser sends it over HTTP/1.1.
def grpc_web(who, method, fields, text):
    """The status, the message and the first data frame of a call; `fields` are of type string."""
    message = b"".join(bytes([number << 3 | 2, len(value)]) + value.encode() for number, value in fields.items())
    body = b"\0" + struct.pack(">I", len(message)) + message
    kind = "application/grpc-web-text" if text else "application/grpc-web+proto"
    answer = who.call(
        "POST", f"/kubeflow.pipelines.backend.api.v2beta1.{method}", base64.b64encode(body) if text else body,
        headers={"Content-Type": kind, "Accept": kind, "X-Grpc-Web": "1"})
    assert answer.status == 200, answer
    assert answer.headers["content-type"].startswith("application/grpc-web"), answer
    rest_, data, trailers = answer.body, None, dict(answer.headers)
    if text:
        # Each part is encoded by itself, so padding may stand in the middle.
        rest_ = b"".join(base64.b64decode(part) for part in re.findall(rb"[^=]+=*", rest_))
    while rest_:
        flags, length = struct.unpack(">BI", rest_[:5])
        frame, rest_ = rest_[5:5 + length], rest_[5 + length:]
        if flags & 0x80:
            lines = frame.decode().strip().split("\r\n")
            trailers |= {key.strip().lower(): value.strip() for key, value in (line.split(":", 1) for line in lines)}
        else:
            data = frame
    return int(trailers["grpc-status"]), trailers.get("grpc-message", ""), data


for text in (False, True):
    listing, getting = "ExperimentService/ListExperiments", "ExperimentService/GetExperiment"
    status, message, data = grpc_web(jane, listing, {5: namespace}, text)
    assert status == 0 and tag.encode() in data, (status, message, data)
    assert grpc_web(jane, getting, {1: ours["experiment"]}, text)[0] == 0
    assert grpc_web(john, listing, {5: namespace}, text)[0] == 7
    foreign, nowhere = (grpc_web(john, getting, {1: ids["experiment"]}, text) for ids in (ours, absent))
    assert foreign[0] == 5 and foreign[2] is None, foreign
    assert foreign[1].replace(ours["experiment"], absent["experiment"]) == nowhere[1], (foreign, nowhere)
    for who in strangers:
        for method, fields in ((listing, {5: namespace}), (getting, {1: ours["experiment"]})):
            assert grpc_web(who, method, fields, text)[0] == 16, (who.token, method)

# All that was refused has not happened.
assert jane.ok("GET", f"/apis/v2beta1/experiments/{ours['experiment']}")["storage_state"] == "AVAILABLE"
assert jane.ok("GET", f"/apis/v2beta1/pipelines/{ours['pipeline']}")["display_name"] == tag
versions = jane.ok("GET", f"/apis/v2beta1/pipelines/{ours['pipeline']}/versions")["pipeline_versions"]
assert [v["pipeline_version_id"] for v in versions] == [ours["version"]] and versions[0]["display_name"] == tag
runs = jane.ok("GET", "/apis/v2beta1/runs", query={"namespace": namespace})["runs"]
assert [(r["run_id"], r["state"], r["storage_state"]) for r in runs] == [(ours["run"], "SUCCEEDED", "AVAILABLE")], runs
schedules = jane.ok("GET", "/apis/v2beta1/recurringruns", query={"namespace": namespace})["recurringRuns"]
assert [(r["recurring_run_id"], r["status"]) for r in schedules] == [(ours["recurring"], "ENABLED")], schedules
assert "recurringRuns" not in john.ok("GET", "/apis/v2beta1/recurringruns", query={"namespace": other_namespace})
assert "runs" not in john.ok("GET", "/apis/v2beta1/runs", query={"namespace": other_namespace})
for who, where in ((jane, namespace), (john, other_namespace)):
    names = [e["display_name"] for e in who.ok("GET", "/apis/v2beta1/experiments", query={"namespace": where})["experiments"]]
    assert set(names) <= {tag, "Default"}, names
print(f"{len(NAMED)} routes by namespace, {len(BY_ID)} by id, logs and artifacts, uploads and gRPC-Web")
