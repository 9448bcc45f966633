"""Three servers on one database, killed with signal 9 and stopped by chance, while recurring runs of two tenants fire.

It proves, by all that has come of the moments and by the runs that are there afterwards: no moment is decided on twice,
with catch-up none is lost, without it each has fired or is known as missed; each that has fired has one run, and there is
no run besides; never do more runs go on than may; and when the server that fires is killed, or stands still, another
one does within 15 s, and at once when it ends as it should. SCHEDULES_SECONDS is how long it lasts (30), SCHEDULES_SEED plays a seed again.
"""
import http.client
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import rest  # noqa: E402
from harness import databases  # noqa: E402
from scheduling import noticed, outcome  # noqa: E402
from scheduling.fleet import TAKEOVER, TENANTS, Fleet  # noqa: E402
from scheduling.plan import CHEAP, Plan  # noqa: E402

SECONDS = float(os.environ.get("SCHEDULES_SECONDS", 30))
SEED = int(os.environ.get("SCHEDULES_SEED", random.SystemRandom().randrange(1 << 32)))
NAMES = ("anna", "bert", "cleo")
# For how long one may stand still at most.
STILL = min(20.0, SECONDS / 3)
# From one strike to the next, at most.
EVERY = 4
# Six for each tenant.
PLANS = [
    Plan(1), Plan(1, cron=True), Plan(2, at_once=2), Plan(3, catchup=False), Plan(4, cron=True, catchup=False, at_once=2), Plan(5, at_once=3),
    Plan(1, catchup=False), Plan(1, cron=True, catchup=False, at_once=3), Plan(2, cron=True, at_once=2), Plan(3), Plan(5, cron=True),
    Plan(2, catchup=False),
]
ENDED_WITHIN = 120


def main() -> int:
    noticed.check()
    print(f"SCHEDULES_SEED={SEED}", flush=True)
    with databases.running(os.environ["DATABASE"]) as database:
        fleet = Fleet(Path(os.environ["SCRATCH"]), database, NAMES, random.Random(SEED))
        try:
            made = [make(fleet, number, plan) for number, plan in enumerate(PLANS)]
            strikes = storm(fleet, made)
            took = handed_over(fleet)
            for _ in range(max(1, int(SECONDS) // 30)):
                took = max(took, stood_still(fleet))
            counts = settled(fleet, made)
        finally:
            fleet.end()
    told = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    print(f"seed {SEED}: {strikes['killed']} kills and {strikes['stopped']} stops; {told} as they must be; another one fired "
          f"{took:.1f} s later at most")
    return 0


def make(fleet: Fleet, number: int, plan: Plan) -> tuple:
    """The namespace, the plan, and the id of a recurring run."""
    namespace = list(TENANTS)[number % len(TENANTS)]
    who = fleet.who(namespace)
    experiment = who.experiment(f"experiment {number}", namespace)
    return namespace, plan, who.ok("POST", "/apis/v2beta1/recurringruns", plan.body(f"plan-{number}", experiment, CHEAP))["recurring_run_id"]


def storm(fleet: Fleet, made: list) -> Counter:
    strikes, began, over = Counter(), time.monotonic(), threading.Event()
    # What it asks for may take as long as somebody stands still who is in the middle of something.
    asking = threading.Thread(target=ask, args=[fleet, made, over], daemon=True)
    asking.start()
    while time.monotonic() - began < SECONDS:
        done = fleet.strike(STILL)
        strikes.update(word for word in ("killed", "stopped") if word in done)
        if done:
            print(f"{time.monotonic() - began:.1f} s: {done}", flush=True)
        until = time.monotonic() + fleet.rng.uniform(1, EVERY)
        while time.monotonic() < until:
            fleet.mend()
            time.sleep(0.1)
    fleet.mend(all_=True)
    over.set()
    asking.join(120)
    assert not asking.is_alive(), "a request is not answered"
    return strikes


def ask(fleet: Fleet, made: list, over: threading.Event) -> None:
    """Asks for runs besides, which there may be room for or not."""
    rng = random.Random(SEED)
    while not over.wait(0.5):
        namespace, _, id_ = rng.choice(made)
        member = rng.choice([member for member in fleet.members if member.up] or fleet.members)
        try:
            answer = fleet.who(namespace, member).call("POST", f"/apis/bulkhead/v1/schedules/{id_}:fire")
        except (OSError, http.client.HTTPException):
            continue
        if answer.status not in (200, 400, 409, 503, 504):
            print(f"asked for a run: {answer.status} {answer.text()}", flush=True)
            os._exit(1)


def handed_over(fleet: Fleet) -> float:
    """Kills the one that fires, and gives how long it took another one; then ends one as it should."""
    leader = fleet.leader(2 * TAKEOVER)
    leader.server.kill()
    leader.killed, leader.back_at, began = True, float("inf"), time.monotonic()
    second = fleet.leader()
    took = time.monotonic() - began
    fleet.mend(all_=True)
    assert second.leads() and not leader.leads(), "who was killed fires again, although another one does"
    second.server.stop()
    second.killed, second.back_at = True, float("inf")
    third = fleet.leader(TAKEOVER / 3)
    assert third is not second
    fleet.mend(all_=True)
    return took


def stood_still(fleet: Fleet) -> float:
    """Stops the one that fires while it does, and gives how long it took another one; it takes in that it leads no more."""
    leader = fleet.leader(2 * TAKEOVER)
    # Moments come with the seconds, so that it is in the middle of something.
    time.sleep(1.02 - time.time() % 1 + fleet.rng.uniform(0, 0.1))
    leader.server.process.send_signal(signal.SIGSTOP)
    leader.killed, leader.back_at, began = False, float("inf"), time.monotonic()
    second = fleet.leader()
    took = time.monotonic() - began
    fleet.mend(all_=True)
    assert fleet.leader(5) is second
    return took


def settled(fleet: Fleet, made: list) -> Counter:
    """Disables all, waits for the runs to end, and looks at what is there."""
    for namespace, _, id_ in made:
        fleet.who(namespace).ok("POST", f"/apis/v2beta1/recurringruns/{id_}:disable")
    counts, deadline = Counter(), time.monotonic() + ENDED_WITHIN
    for namespace, plan, id_ in made:
        who = fleet.who(namespace)
        while going_on := who.ok("GET", f"/apis/bulkhead/v1/schedules/{id_}").get("active"):
            assert time.monotonic() < deadline, f"{going_on} runs of {plan} do not end"
            time.sleep(0.2)
        counts += outcome.check(who, plan, id_)
        counts["runs"] += len(of_it := outcome.runs(who, who.ok("GET", f"/apis/v2beta1/recurringruns/{id_}")))
        assert all(run["state"] in rest.ENDED - {"FAILED"} for run in of_it), [run for run in of_it if run["state"] == "FAILED"][:2]
    return counts


if __name__ == "__main__":
    sys.exit(main())
