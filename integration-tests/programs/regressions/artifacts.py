"""What tasks have put out, and the files of the server."""
import base64
import http.client
import os

import specs
from regressions.case import regression
from regressions.stage import JANES, UNKNOWN, V1, V2, Listener

MIB = 1 << 20


def path(run: str, node: str = "hello", name: str = "greeting", version: str = V2) -> str:
    return f"{version}/runs/{run}/nodes/{node}/artifacts/{name}:read"


def put_out(stage, script: str, name: str) -> str:
    """A run of Jane's whose artifact the script makes at `$1`, once it has ended in whatever way."""
    run = stage.run("jane", stage.ours["experiment"],
                    {"pipeline_spec": specs.spec("hello", f'mkdir -p "$(dirname "$1")"; {script}', True)}, name)
    stage.caller("jane").ended(run)
    return run


@regression("KFP #9889")
def kfp_9889_artifact_idor(stage):
    """KFP #9889 and what followed from it: an artifact was read by its place in the store, which named no right and could be
    another tenant's."""
    ours, theirs = stage.ours, stage.theirs
    who = {who: 401 for who in UNKNOWN} | {"john": 404, "stranger": 404, "viewer": 200, "jane": 200}
    for version in (V1, V2):
        for node in ("hello", ours["task"]):
            for name in ("greeting", "main-logs"):
                stage.refused(who, "GET", path(ours["run"], node, name, version))
                stage.refused(who, "GET", path(ours["run"], node, name, version), query={"namespace": "john-roe"})
                foreign, absent = (stage.call("john", "GET", path(run, node, name, version)) for run in (ours["run"], stage.absent))
                assert foreign.text().replace(ours["run"], stage.absent) == absent.text(), (foreign, absent)
        stage.refused({"john": 404}, "GET", path(theirs["run"], ours["task"], "greeting", version))
    # As the UI's server was asked, which is none here.
    for query in ("source=minio&bucket=mlpipeline&key=private-artifacts/jane-doe/x", "source=volume&bucket=x&key=/etc/passwd"):
        stage.refused({"john": (401, 404), "nobody": (401, 404)}, "GET", f"/artifacts/get?{query}&namespace={JANES}")


@regression("KFP #12928")
def kfp_12928_path_traversal(stage):
    """KFP #12928: the name of an artifact was put into a path as it came, and led out of the run's folder."""
    for name in ("..", "..%2F..%2F..%2F..%2Fbulkhead.db", "%2e%2e%2f%2e%2e%2fbulkhead.db", "%2Fetc%2Fpasswd", "greeting%2F..%2F..",
                 "greeting%00", "....%2F%2F....%2F%2Fetc%2Fpasswd", "..%5C..%5Cbulkhead.db"):
        for node in ("hello", "..", "..%2F..%2F"):
            answer = stage.call("jane", "GET", path(stage.ours["run"], node, name))
            assert answer.status in (400, 404), (node, name, answer)
            assert b"SQLite" not in answer.body and b"root:" not in answer.body, (node, name, answer)
        said = stage.rpc("jane", "bulkhead.v1.ArtifactService", "ReadArtifact",
                         {"run_id": stage.ours["run"], "node_id": "hello", "artifact_name": "../../../../bulkhead.db"})
        assert said[0] == "NOT_FOUND", said


@regression("KFP #13554", "KFP #13577")
def kfp_13554_symlinks(stage):
    """KFP #13554 and #13577: what a task had put out was followed when it was a link, and so the server's own files, or those
    of other runs, were read through it."""
    database, secret = stage.server.data / "bulkhead.db", stage.server.folder / "config.yaml"
    foreign = next(file for file in stage.server.data.rglob("*") if file.is_file() and stage.theirs["run"] in str(file))
    targets = ("/etc/passwd", "/proc/self/environ", "/dev/zero", database, secret, foreign)
    scripts = [f'ln -s {target} "$1"' for target in targets] + [
        f'ln {secret} "$1"', f'ln -s {stage.server.data} "$(dirname "$1")/x"; ln -s x/bulkhead.db "$1"', 'mkfifo "$1"']
    for number, script in enumerate(scripts):
        run = put_out(stage, script, f"link-{number}")
        for name in ("greeting", "main-logs"):
            answer = stage.call("jane", "GET", path(run, name=name))
            read = base64.b64decode(answer.json().get("data", "")) if answer.status == 200 else answer.body
            assert name == "main-logs" or answer.status in (400, 404), (script, answer.status, read[:200])
            for kept in (b"root:x", b"SQLite format", b"audit.jsonl", b"PATH="):
                assert kept not in read, (script, name, read[:200])
    # What was a file when its task ended, and is a link now, or stands behind one.
    run = put_out(stage, 'echo fine > "$1"', "swapped")
    stage.refused({"jane": 200}, "GET", path(run))
    files = [file for file in stage.server.data.rglob("*") if run in str(file) and file.is_file()]
    for file in files:
        file.unlink()
        file.symlink_to(secret)
    assert {"greeting", "0.log"} <= {file.name for file in files}, files
    for where in (path(run), path(
            run, name="main-logs"), f"{V1}/runs/{run}/nodes/hello/log", f"{V1}/runs/{run}/nodes/hello/log?follow=true"):
        answer = stage.call("jane", "GET", where)
        read = base64.b64decode(answer.json().get("data", "")) if answer.status == 200 and ":read" in where else answer.body
        assert b"audit.jsonl" not in read, (where, read)
    stage.alive()


@regression("KFP #13562")
def kfp_13562_unbounded_reads(stage):
    """KFP #13562: an artifact was read into memory whole, so that a large one, asked for a few times, ended the server."""
    run = put_out(stage, 'truncate -s 64M "$1"', "large")
    before, most = stage.memory(), 0
    connections = []
    for _ in range(6):
        caller = stage.caller("jane")
        connection = http.client.HTTPConnection(caller.address, timeout=60)
        connection.request("GET", path(run), headers={"Authorization": f"Bearer {caller.token}"})
        connections.append((connection, connection.getresponse()))
    for _ in range(64):
        for _, answer in connections:
            answer.read(MIB // 2)
        most = max(most, stage.memory())
    for connection, answer in connections:
        assert answer.status == 200
        connection.close()
    assert most - before < 64 * MIB, f"six readers of 64 MiB made the server grow by {(most - before) // MIB} MiB"
    stage.alive()


@regression("CVE-2023-6570")
def cve_2023_6570_namespace_in_a_url(stage):
    """CVE-2023-6570 (KFP #13126): the namespace of a request was built into the URL of a service, so that one with a slash or a
    port in it let the server call any address."""
    heard = len(Listener.heard)
    inside = f"127.0.0.1:{stage.port(0)}"
    for namespace in (f"{inside}/x?", f"x@{inside}", f"{inside}%23", "jane-doe.svc/../../", f"//{inside}", "jane-doe\r\nHost: x"):
        for who, status in (("nobody", 401), ("john", (400, 403))):
            for where in (f"{V2}/experiments", f"{V2}/runs", f"{V2}/pipelines", f"{V2}/recurringruns"):
                stage.refused({who: status}, "GET", where, query={"namespace": namespace})
            stage.refused({who: status}, "GET", f"{V1}/auth", query={"namespace": namespace, "resources": "VIEWERS", "verb": "GET"})
        stage.refused({"john": (200, 404)}, "GET", path(stage.theirs["run"]), query={"namespace": namespace})
    assert Listener.heard[heard:] == [], Listener.heard
    assert os.path.exists(f"/proc/{stage.server.process.pid}")
