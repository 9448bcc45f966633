"""A server that keeps everything in a database server: it starts, serves and runs as ever, and outlives the database."""
import http.client
import os
import subprocess
import tempfile
import time
import urllib.parse
from pathlib import Path

import rest
from harness.databases import KINDS
from harness.server import BINARY, Server

kind, scratch = os.environ["DATABASE"], Path(os.environ["SCRATCH"])
home = tempfile.TemporaryDirectory(prefix="bulkhead-database-", dir="/tmp")
database = KINDS[kind](Path(home.name) / kind).start()
os.environ["BULKHEAD_DATABASE_URL"] = database.url
env = {"BULKHEAD_DATABASE_URL": database.url}
servers = [Server(scratch / name, env=env) for name in ("one", "two")]


def bulkhead(*words):
    return subprocess.run([str(BINARY), *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)


def ready(of):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(of.admin).netloc, timeout=30)
    connection.request("GET", "/readyz")
    answer = connection.getresponse().status
    connection.close()
    return answer


def until(what, seconds=60):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.1)


try:
    done = bulkhead("migrate", "--check")
    assert done.returncode == 1 and "pending: " in done.stdout, done
    one, two = servers
    one.start()
    done = bulkhead("migrate", "--check")
    assert (done.returncode, done.stdout) == (0, "the tables are up to date\n"), done
    refused = bulkhead("backup", scratch / "backup.tar.gz", "--data-dir", one.data)
    assert refused.returncode != 0 and "is not in the data folder" in refused.stderr and "127.0.0.1" not in refused.stderr, refused
    token = one.token("jane@example.com").read_text().strip()
    jane = rest.Rest(one.host, token)
    experiment = jane.experiment("kept", "jane-doe")
    pipeline = jane.pipeline("treasure", "treasure", "jane-doe")
    run = jane.run(experiment, pipeline, parameters={"treasure": "opals"})
    assert jane.ended(run)["state"] == "SUCCEEDED", jane.ended(run)
    assert not (one.data / "bulkhead.db").exists(), "something is in a file"

    # Another server on the same database sees the same, takes runs, and leaves the tasks to the first.
    two.start()
    other = rest.Rest(two.host, token)
    listing = "/apis/v2beta1/runs?namespace=jane-doe"
    assert other.ok("GET", listing) == jane.ok("GET", listing)
    elsewhere = other.run(experiment, pipeline, parameters={"treasure": "pearls"})
    assert other.ended(elsewhere)["state"] == "SUCCEEDED", other.ended(elsewhere)
    assert list(one.data.rglob(elsewhere)) and not list(two.data.rglob(elsewhere)), "the second one has run tasks"
    two.stop()

    # The database goes and comes back: nothing that was acknowledged is lost, and the server stays.
    names = [f"before {at}" for at in range(5)]
    for name in names:
        jane.experiment(name, "jane-doe")
    assert ready(one) == 200
    database.kill()
    answer = jane.call("GET", listing)
    assert answer.status == 503 and int(answer.headers["retry-after"]) > 0, answer
    assert "127.0.0.1" not in answer.text() and "postgres" not in answer.text().lower(), answer.text()
    until(lambda: ready(one) == 503)
    database.start()
    until(lambda: ready(one) == 200)
    found = jane.ok("GET", "/apis/v2beta1/experiments?namespace=jane-doe&page_size=100")["experiments"]
    assert {*names, "kept"} <= {experiment["display_name"] for experiment in found}, found
    again = jane.run(experiment, pipeline, parameters={"treasure": "pearls"})
    assert jane.ended(again)["state"] == "SUCCEEDED", jane.ended(again)
    assert one.process.poll() is None

    # And while a run is under way.
    cut = jane.run(experiment, pipeline, parameters={"treasure": "rubies"})
    database.kill()
    time.sleep(2)
    database.start()
    until(lambda: ready(one) == 200)
    assert jane.ended(cut)["state"] in ("SUCCEEDED", "FAILED")
    one.stop()

    # The first has ended for good.
    two.start("--take-over")
    other = rest.Rest(two.host, token)
    taken = other.run(experiment, pipeline, parameters={"treasure": "agates"})
    assert other.ended(taken)["state"] == "SUCCEEDED", other.ended(taken)
    two.stop()
    # Back again, it takes runs, which wait for the one that has taken over.
    one.start()
    jane = rest.Rest(one.host, token)
    waits = jane.run(experiment, pipeline, parameters={"treasure": "jades"})
    assert jane.ok("GET", f"/apis/v2beta1/runs/{waits}")["state"] == "PENDING"
    two.start()
    assert jane.ended(waits)["state"] == "SUCCEEDED", jane.ended(waits)
    two.stop()
    one.stop()
    logs = "".join((server.folder / "server.log").read_text() for server in servers)
    assert database.url not in logs, "the URL is in a log"
    print(f"{kind}: two servers saw the same, the database was killed twice, and nothing was lost")
finally:
    for server in servers:
        server.kill()
    database.kill()
    home.cleanup()
