"""Non-interference: what a tenant hears does not depend on what another one does.

Tenant B plays a sequence of requests that chance has made, over the whole REST API, against two servers. Beside one of
them tenant A makes requests too, between those of B or, at every fourth seed, at the same time: A creates, archives,
terminates and deletes what has the names that B uses, makes tokens, and tries B's ids. On the other server A does
nothing. It proves that B is answered equally on both: status, headers and their order, and every byte of the body.

What the comparison leaves out or replaces is this, and nothing else:
- ids that are B's own or of shared pipelines, numbered in the order in which B sees them; an id of A's is never replaced;
- times of these days, but not the epoch, nor times that B has sent; a time that ends in zeros is written without them, so
  `content-length` is compared without times;
- the texts and ids of B's API tokens, numbered likewise;
- page tokens, numbered likewise, whose lengths may differ by 4; `content-length` is compared without them too;
- the headers `date` and `x-request-id`.

B also asks for ids of A's, which the test hands over: the answer has to be that of the other server, where nothing has
that id, and that for another id which nothing has, byte for byte. How long a task waits for its turn is left out: both
servers have turns enough, and B waits for its runs to end, or to say that they sleep, before it goes on. At the end it
is made sure that a difference would be noticed: A plays with B's own token, and the test has to fail.

With DATABASE=postgres or mysql in the environment, each server keeps its tables in such a database of its own.

A seed says what B does and, where A plays in between, what A does. Alone:
programs/non_interference.py [--seeds N] [--calls N] [--seed N to play one again]
"""
import argparse
import collections
import os
import re
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import databases  # noqa: E402
from harness.server import ROOT  # noqa: E402
from interference.contest import Contest, Difference  # noqa: E402

SEEDS, CALLS = 20, 150
# What no proto declares, beside what they do.
BEYOND = [("POST", f"/apis/{version}/pipelines/{what}")
          for version in ("v1beta1", "v2beta1")
          for what in ("upload", "upload_version")]
BEYOND += [("GET", f"/apis/{version}/runs/x/nodes/x/log") for version in ("v1alpha1", "v1beta1")]
BEYOND += [("GET", f"/apis/{version}/runs/x/nodes/x/artifacts/x:read") for version in ("v1beta1", "v2beta1")]
ROUTE = re.compile(r'\b(get|post|put|patch|delete): "(/apis/[^"]+)"')


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"how many seeds, from 0 on ({SEEDS})")
    parser.add_argument("--calls", type=int, default=CALLS, help=f"how many requests of B for each ({CALLS})")
    parser.add_argument("--seed", type=int, help="this one alone")
    options = parser.parse_args()
    seeds = range(options.seeds) if options.seed is None else [options.seed]
    began, counts, routes, wrong = time.monotonic(), collections.Counter(), collections.Counter(), []
    with (tempfile.TemporaryDirectory(prefix="interference-", ignore_cleanup_errors=True, dir=os.environ.get("SCRATCH")) as scratch,
          databases.running(os.environ.get("DATABASE", "")) as database):
        def play(seed: int) -> None:
            contest = Contest(Path(scratch) / str(seed), seed, database)
            try:
                contest.play(options.calls)
            except Exception as error:
                wrong.append(f"seed {seed} (play it again with --seed {seed} --calls {options.calls}): "
                             f"{type(error).__name__}: {error}")
            finally:
                contest.end()
                counts.update(contest.counts)
                routes.update(contest.routes)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(play, seeds))
        if options.seed is None:
            wrong += unnoticed(Path(scratch) / "leaky", options.calls, database)
    if options.seed is None and options.seeds >= SEEDS and options.calls >= CALLS:
        wrong += [f"{route} was never asked for" for route in sorted(declared()) if not any(fits(route, met) for met in routes)]
    for line in wrong:
        print(line)
    statuses = ", ".join(f"{counts[status]} of {status}" for status in sorted(key for key in counts if isinstance(key, int)))
    print(f"{len(seeds)} seeds, {counts['calls']} requests of B answered equally beside {counts['others']} of A: {statuses}; "
          f"{counts['foreign']} with ids of A's; {len(wrong)} differences; {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


def unnoticed(folder: Path, calls: int, database) -> list:
    """A test that cannot fail proves nothing."""
    contest = Contest(folder, 0, database, leaky=True)
    try:
        contest.play(calls)
    except Difference:
        return []
    finally:
        contest.end()
    return [f"A played with B's own token, and nothing was noticed in {calls} calls"]


def declared() -> set:
    routes = set(BEYOND)
    for proto in (ROOT / "proto").rglob("*.proto"):
        routes |= {(method.upper(), re.sub(r"\{[^}]*\}", "x", path)) for method, path in ROUTE.findall(proto.read_text())}
    return routes


def fits(route: tuple, met: tuple) -> bool:
    """Whether a request took that route, whatever it had in place of ids and names."""
    pattern = "[^/:]+".join(re.escape(part) for part in re.split(r"(?<=/)x(?=[/:]|$)", route[1]))
    return route[0] == met[0] and re.fullmatch(pattern, met[1]) is not None


if __name__ == "__main__":
    sys.exit(main())
