"""A flood of requests without a login: 20,000 over 16 connections, REST and gRPC, some with bodies of 10 MB.

It proves that each is refused, that the server's memory grows by less than 64 MiB, that its log and its audit trail get fewer
than 50 requests a second from nobody (and 100 at once), that `bulkhead_unauthenticated_unlogged_total` counts all others, and
that somebody with a token is answered promptly meanwhile: half of the time within 0.25 s, and always within 2 s.
"""
import collections
import json
import multiprocessing
import os
import re
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import rest  # noqa: E402
from flooding import callers  # noqa: E402
from harness.server import Server  # noqa: E402

REQUESTS = int(os.environ.get("FLOOD_REQUESTS", 20_000))
CONNECTIONS, MIB = 16, 1 << 20
GROWTH, A_SECOND, AT_ONCE = 64 * MIB, 50, 100
USUALLY, ALWAYS = 0.25, 2.0


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="flood-", ignore_cleanup_errors=True, dir=os.environ.get("SCRATCH")) as scratch:
        trail = Path(scratch) / "trail.jsonl"
        server = Server(Path(scratch) / "server", config={"audit": {"sink": "file", "file": str(trail)}}).start()
        try:
            said = flood(server, trail)
            server.stop()
        finally:
            server.kill()
    print(said)
    return 0


def flood(server: Server, trail: Path) -> str:
    jane = rest.Rest(server.host, server.secret("jane@example.com"))
    jane.experiment("before", "jane-doe")
    warm_up(server)
    address = urllib.parse.urlsplit(server.host).netloc
    results = multiprocessing.get_context("spawn").Queue()
    processes = [multiprocessing.get_context("spawn").Process(
        target=callers.over_grpc if number % 2 else callers.over_rest, args=(address, REQUESTS // CONNECTIONS, number, results))
        for number in range(CONNECTIONS)]
    before = {"log": lines(server.log), "trail": lines(trail), "unlogged": unlogged(server), "memory": memory(server)}
    over, grown, waited = threading.Event(), [], []
    watching = threading.Thread(target=callers.watched, args=(server.process.pid, over, grown))
    asking = threading.Thread(target=asks, args=(jane, over, waited))
    began = time.monotonic()
    for each in (*processes, watching, asking):
        each.start()
    counts = collections.Counter()
    for _ in processes:
        counts.update(results.get(timeout=600))
    took = time.monotonic() - began
    over.set()
    for each in (*processes, watching, asking):
        each.join()
    most, waited = max(grown) - before["memory"], sorted(waited)
    new = {name: text(file).splitlines()[before[name]:] for name, file in (("log", server.log), ("trail", trail))}
    logged = [line for line in new["log"] if "jane@example.com" not in line]
    audited = [event for event in map(json.loads, new["trail"]) if not event["user"]]
    counted = unlogged(server) - before["unlogged"]
    bound = A_SECOND * took + AT_ONCE
    figures = (f"{REQUESTS} requests in {took:.0f} s: {dict(counts)}; memory +{most / MIB:.0f} MiB of {GROWTH // MIB}; "
               f"{len(logged)} lines of log and {len(audited)} events of {bound:.0f} each; {counted} counted; "
               f"jane waited {waited[len(waited) // 2] * 1000:.0f} ms at the median, {waited[-1] * 1000:.0f} ms at most, "
               f"{len(waited)} times")
    print(figures, flush=True)
    refused = counts[401] + counts["UNAUTHENTICATED"]
    # Whoever sends 10 MB may see the connection end before the answer.
    assert set(counts) <= {401, "UNAUTHENTICATED", "BrokenPipeError", "ConnectionResetError", "UNAVAILABLE"}, counts
    assert counts.total() == REQUESTS and refused > 0.98 * REQUESTS, counts
    assert most < GROWTH, f"the server grew by {most / MIB:.0f} MiB"
    kinds = collections.Counter(re.sub("[0-9a-f-]{36}|[0-9]+", "", line)[:120] for line in logged)
    assert len(logged) < bound, f"{len(logged)} lines of log in {took:.0f} s: {kinds.most_common(5)}"
    assert len(audited) < bound, f"{len(audited)} events in {took:.0f} s"
    assert counted + len(audited) >= refused, (counted, len(audited), refused)
    assert 0 < sum(event.get("unwritten", 0) for event in audited) <= unlogged(server)
    assert waited[len(waited) // 2] < USUALLY and waited[-1] < ALWAYS and len(waited) > took, waited[-10:]
    assert jane.ok("GET", "/apis/v2beta1/experiments", query={"namespace": "jane-doe"})["total_size"] == 1
    return figures


def warm_up(server: Server) -> None:
    """What the first requests take in memory is no growth."""
    for number in range(200):
        rest.Rest(server.host).call("POST", "/apis/v2beta1/runs", b"x" * (100 * MIB // 1024 if number % 10 else MIB))


def asks(jane: rest.Rest, over: threading.Event, waited: list) -> None:
    while not over.is_set():
        began = time.monotonic()
        jane.ok("GET", "/apis/v2beta1/experiments", query={"namespace": "jane-doe"})
        waited.append(time.monotonic() - began)
        time.sleep(0.05)


def memory(server: Server) -> int:
    return next(
        int(line.split()[1]) << 10
        for line in text(Path(f"/proc/{server.process.pid}/status")).splitlines()
        if line.startswith("VmRSS"))


def unlogged(server: Server) -> int:
    metrics = rest.Rest(server.admin).call("GET", "/metrics").text()
    return int(
        next(line.split()[1] for line in metrics.splitlines() if line.startswith("bulkhead_unauthenticated_unlogged_total ")))


def text(file: Path) -> str:
    return file.read_text(errors="replace")


def lines(file: Path) -> int:
    return len(text(file).splitlines())


if __name__ == "__main__":
    sys.exit(main())
