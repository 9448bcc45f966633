"""A tenant who sends at full speed beside one who does not.

It proves that who floods is refused with 429 and told when to come back, and that the other one is never refused. How much
longer the other one waits is told, not judged: programs that run at the same time have a part in it. `make bench` judges,
with the limits as they are by default. Those of a user are less here, so that also a slow machine goes beyond them.
"""
import http.client
import multiprocessing
import os
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import rest  # noqa: E402
from harness.server import Server  # noqa: E402
from limiting import flood  # noqa: E402

SECONDS, CONNECTIONS = 15, 12
# A second of the one who is quiet.
RATE = 40
# What a user may send (docs/CONFIG.md, `limits`).
USER_RATE, BURST = 50, 500


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="limits-", ignore_cleanup_errors=True, dir=os.environ.get("SCRATCH")) as scratch:
        server = Server(Path(scratch) / "server", config={"limits": {"user_rate": USER_RATE, "user_burst": BURST}}).start()
        try:
            said = fair(server)
            server.stop()
        finally:
            server.kill()
    print(said)
    return 0


def fair(server: Server) -> str:
    address = urllib.parse.urlsplit(server.host).netloc
    jane, john = server.secret("jane@example.com"), server.secret("john@example.com")
    quiet(address, jane, 3)
    alone = quiet(address, jane, SECONDS)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    flooding = context.Process(target=flood.run, args=(address, john, CONNECTIONS, SECONDS + 5, results))
    flooding.start()
    time.sleep(3)
    beside = quiet(address, jane, SECONDS)
    counts = results.get(timeout=120)
    flooding.join()
    told = counts.pop("told")
    p99 = [times[len(times) * 99 // 100] for times in (alone, beside)]
    figures = (f"flood of {sum(counts.values()) / (SECONDS + 5):.0f} requests a second: {counts}, {told} told when to come back; "
               f"quiet alone p50 {middle(alone):.1f} ms, p99 {last(alone):.1f} ms; beside it p50 {middle(beside):.1f} ms, "
               f"p99 {last(beside):.1f} ms, {p99[1] / p99[0]:.2f} times")
    print(figures, flush=True)
    assert set(counts) <= {200, 409, 429}, counts
    # Refusals are held back, so there are no more of them than connections allow; and what is answered keeps to the rate.
    assert counts[429] >= CONNECTIONS and counts[200] + counts[409] <= BURST + USER_RATE * (SECONDS + 10), counts
    # An answer that came in two pieces may have been counted in neither.
    assert told > 0.95 * counts[429], (told, counts)
    limited = rest.Rest(server.admin).call("GET", "/metrics").text()
    assert 'bulkhead_limited_requests_total{limit="user_rate"}' in limited, limited
    return figures


def quiet(address: str, token: str, seconds: float) -> list:
    """How long each request of somebody took who sends some a second, reading mostly; shortest first."""
    connection, times, number = http.client.HTTPConnection(address, timeout=60), [], 0
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    until = time.monotonic() + seconds
    while (began := time.monotonic()) < until:
        number += 1
        if number % 8 == 0:
            body = f'{{"display_name": "quiet-{time.time_ns()}", "namespace": "jane-doe"}}'
            connection.request("POST", "/apis/v2beta1/experiments", body, headers)
        else:
            connection.request("GET", "/apis/v2beta1/experiments?namespace=jane-doe&page_size=10", headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        took = time.monotonic() - began
        times.append(took)
        time.sleep(max(0.0, 1 / RATE - took))
    return sorted(times)


def middle(times: list) -> float:
    return times[len(times) // 2] * 1000


def last(times: list) -> float:
    return times[len(times) * 99 // 100] * 1000


if __name__ == "__main__":
    sys.exit(main())
