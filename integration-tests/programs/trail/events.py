"""Each decision is an event, under the id of its request, and none has a secret."""
import json
import uuid
from pathlib import Path

import rest
import specs
from harness.server import Server

V1, V2, OWN = "/apis/v1beta1", "/apis/v2beta1", "/apis/bulkhead/v1"
# In a body, a query and a header: none of it is the trail's business.
BODY, QUERY = "a-description-that-is-nobodys-business", "a-filter-that-is-nobodys-business"


def read(file: Path) -> list:
    return [json.loads(line) for line in file.read_text().splitlines() if line]


def check(folder: Path) -> str:
    file = folder / "trail.jsonl"
    server = Server(folder / "server", config={"audit": {"sink": "file", "file": str(file)}, "log": {"level": "debug"}}).start()
    try:
        secrets = {who: server.secret(f"{who}@example.com") for who in ("jane", "john", "viewer")}
        callers = {who: rest.Rest(server.host, secret) for who, secret in secrets.items()} | {"nobody": rest.Rest(server.host)}
        jane = callers["jane"]
        experiment, pipeline = jane.experiment("audited", "jane-doe"), uploaded(jane)
        run = jane.ok("POST", f"{V2}/runs",
                      {"display_name": "audited", "experiment_id": experiment, "pipeline_spec": specs.HELLO})["run_id"]
        jane.ended(run)
        made = jane.ok("POST", f"{OWN}/tokens", {"description": BODY})
        secrets["minted"] = made["secret"]
        lines = [line for who, method, path, body, *expected in requests(experiment, pipeline, run, made["token"]["token_id"])
                 for line in asked(callers[who], file, who, method, path, body, expected)]
        for place in ("jane@example.com", "viewer@example.com"):
            lines += [f"an event of {place} does not say with which token: {event}" for event in read(file)
                      if event["user"] == place and not event["proof"].startswith("token ")]
        mode = file.stat().st_mode & 0o777
        lines += [f"others can read the trail: {mode:o}"] if mode & 0o077 else []
        listed = server.command("token", "list")
        server.stop()
    finally:
        server.kill()
    for where, text in (("trail", file.read_text()), ("log", server.log.read_text()), ("list of tokens", listed)):
        lines += [f"the {where} has {name} in it" for name, secret in (*secrets.items(), ("a body", BODY), ("a query", QUERY))
                  if secret in text and not (where == "list of tokens" and name == "a body")]
    assert not lines, "\n".join(lines)
    return f"{len(read(file))} events"


def uploaded(jane) -> str:
    query = {"name": "audited", "namespace": "jane-doe", "description": BODY}
    answer = jane.upload(f"{V2}/pipelines/upload", json.dumps(specs.HELLO).encode(), query=query)
    return answer.json()["pipeline_id"]


def requests(experiment: str, pipeline: str, run: str, token: str) -> list:
    """Who asks what, with which status and which event: decision, verb, resource, namespace."""
    new, absent = {"display_name": "another", "namespace": "jane-doe", "description": BODY}, str(uuid.uuid4())
    janes, artifact = "jane-doe", f"{V2}/runs/{run}/nodes/hello/artifacts/greeting:read"
    auth = f"{V1}/auth?namespace=john-roe&resources=VIEWERS&verb=GET"
    return [
        ("jane", "GET", f"{V2}/experiments?namespace={janes}&filter={QUERY}", None, 400, "allowed", "list", "experiments", janes),
        ("jane", "POST", f"{V2}/experiments", new, 200, "allowed", "create", "experiments", janes),
        ("john", "POST", f"{V2}/experiments", new, 403, "denied", "create", "experiments", janes),
        ("viewer", "DELETE", f"{V2}/experiments/{experiment}", None, 403, "denied", "delete", "experiments", janes),
        ("john", "GET", f"{V2}/runs/{run}", None, 404, "denied", "get", "runs", janes),
        ("john", "GET", f"{V1}/runs/{absent}", None, 404, "denied", "get", "runs", ""),
        ("viewer", "GET", f"{V1}/runs/{run}/nodes/hello/log", None, 200, "allowed", "get", "runs", janes),
        ("john", "GET", f"{V1}/runs/{run}/nodes/hello/log?follow=true", None, 404, "denied", "get", "runs", janes),
        ("jane", "GET", artifact, None, 200, "allowed", "readArtifact", "runs", janes),
        ("jane", "PATCH", f"{V2}/pipelines/{pipeline}", {"display_name": "x"}, 200, "allowed", "update", "pipelines", janes),
        ("jane", "POST", f"{V2}/pipelines", {"name": "for-all"}, 403, "denied", "create", "pipelines", "(shared)"),
        ("jane", "GET", f"{V2}/pipelines", None, 200, "allowed", "list", "pipelines", "(shared)"),
        ("jane", "POST", f"{V1}/workflows", '"{}"', 403, "denied", "report", "workflows", "(cluster)"),
        ("jane", "GET", auth, None, 403, "denied", "get", "viewers", "john-roe"),
        ("nobody", "GET", f"{V2}/runs/{run}?x={QUERY}", None, 401, "denied", "", "", ""),
        # Tokens are rights, so who makes and revokes them is to be found in the trail.
        ("jane", "POST", f"{OWN}/tokens", {"description": BODY}, 200, "allowed", None, None, None),
        ("john", "DELETE", f"{OWN}/tokens/{token}", None, 404, None, None, None, None),
        ("jane", "DELETE", f"{OWN}/tokens/{token}", None, 200, "allowed", None, None, None),
    ]


def asked(caller, file: Path, who: str, method: str, path: str, body, expected: list) -> list:
    """What is wrong with the answer, or with the events that came of it."""
    status, decision, verb, resource, namespace = expected
    id_ = f"audited-{uuid.uuid4().hex}"
    headers = {"x-request-id": id_} | ({"Content-Type": "application/json"} if body else {})
    answer = caller.call(method, path, body, headers=headers)
    if answer.status != status or answer.headers["x-request-id"] != id_:
        return [f"{who}: {method} {path}: {answer}"]
    events = [event for event in read(file) if event.get("request_id") == id_]
    wanted = {
        "decision": decision, "verb": verb, "resource": resource, "namespace": namespace,
        "user": "" if who == "nobody" else f"{who}@example.com"
    }
    fits = [event for event in events if all(value is None or event.get(name, "") == value for name, value in wanted.items())]
    if decision and not fits:
        return [f"{who}: {method} {path}: no event like {wanted} among {events}"]
    return [f"an event has no {name}: {event}" for event in events for name in ("time", "what", "reason") if not event.get(name)]
