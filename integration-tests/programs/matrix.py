"""The matrix of access: every RPC x every caller x every object, over gRPC and every HTTP route, and over gRPC-Web.

It proves that each of these cells is answered as the rule in the proto says, by the judgement of an oracle that knows
the rules, the manifests and docs/ACCESS.md, and nothing of the server; that an id which the caller may not know of is
answered byte for byte as an absent one; that no refused call has changed anything; and that no RPC and no route is left
out.

With DATABASE=postgres or mysql in the environment, its server keeps its tables in such a database.

Alone, it plays all RPCs, or those whose names have one of the words: programs/matrix.py [WORD...]
"""
import os
import shutil
import sys
import tempfile
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import databases  # noqa: E402
from harness.server import ROOT, Server  # noqa: E402
from matrix import callers, rbac, rules, surface, table  # noqa: E402
from matrix.calls import Grpc, Http  # noqa: E402
from matrix.oracle import Oracle  # noqa: E402
from matrix.play import Player  # noqa: E402
from matrix.tally import Tally  # noqa: E402
from matrix.traces import Traces  # noqa: E402
from matrix.world import World  # noqa: E402

FOLDER = ROOT / "integration-tests" / "matrix"
AT_ONCE = 6
# So many differences are told in full.
SHOWN = 60
# A namespace may have all slots but one, so one task that takes long keeps all others of its namespace waiting.
CONFIG = callers.CONFIG | {"executor": {"network": False, "max_tasks": 2}}
# Nothing but Kubernetes can prove one.
UNPROVABLE = "system:serviceaccount:own:robot"


def main(words: list) -> int:
    with (tempfile.TemporaryDirectory(prefix="matrix-", ignore_cleanup_errors=True) as scratch,
          databases.running(os.environ.get("DATABASE", "")) as database):
        server = Server(Path(os.environ.get("SCRATCH", scratch)) / "server", config=CONFIG, database=database)
        shutil.copytree(FOLDER / "profiles", server.profiles, dirs_exist_ok=True)
        try:
            summary, wrong = matrix(server.start(), words)
            server.stop()
        finally:
            server.kill()
    for line in wrong[:SHOWN]:
        print(line)
    if len(wrong) > SHOWN:
        print(f"… and {len(wrong) - SHOWN} more")
    print(f"{summary}, {len(wrong)} differences; skipped: a real service account, which only Kubernetes can prove (TokenReview)")
    return 1 if wrong else 0


def matrix(server: Server, words: list) -> tuple:
    """What to say of the matrix, and what is wrong."""
    protos, http, grpc = rules.Protos(ROOT / "proto"), Http(server.host), Grpc(urllib.parse.urlsplit(server.host).netloc)
    people = callers.read(FOLDER / "callers.yaml", server)
    others, wrong = surface.reflected(grpc.channel, protos)
    rpcs, rows = protos.rpcs + others, table.read(FOLDER)
    wrong += table.differences(rpcs, rows)
    if wrong:
        return f"{len(rpcs)} RPCs and {len(rows)} rows do not fit", wrong
    if not callers.refuses_tokens_for(server, UNPROVABLE):
        wrong.append(f"a token can be made for {UNPROVABLE}")
    world = World(http, next(caller for caller in people if caller.name == "cluster admin"))
    world.build()
    traces = Traces.of(world)
    player = Player(protos.pool, rows, people, Oracle(rbac.read(server.profiles), world.things), world, grpc, http)
    chosen = [rpc for rpc in rpcs if not words or any(word in rpc.full_name for word in words)]
    total, began = Tally(), time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for tally in pool.map(player.play, player.tasks(chosen)):
            total.add(tally)
    took = time.monotonic() - began
    wrong += total.differences + total.unmet(chosen, rows) + traces.wrong(total.refused)
    # A part of the RPCs cannot meet every route.
    wrong += [] if words else surface.unmet(http, total.met)
    print("\n".join(total.counts()))
    return f"{total.summary()} of {len(chosen)} RPCs and {len(people)} callers, {total.twins} held against absent ids, in {took:.0f} s", wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
