"""Time tells nothing: an id of another tenant's takes as long to refuse as one that nothing has.

John asks for Jane's objects and for two sets of ids that nothing has, over REST and gRPC, each time for one of each in an
order by chance, on one connection that is kept open. It proves, for each call, that the times for Jane's ids and for the
others cannot be told apart: the chance that one of the first took longer than one of the second is within 0.05 of a half,
and within 0.1 for the faster half of each, which the machine's other work disturbs less. The two sets that nothing has show
what the machine does to these figures by itself. Ranks are compared, not means, so that other work moves both samples alike.
A call whose figures are within half of that after some rounds is done; others go on, TIMING_ROUNDS of them at most.

The ids that nothing has are Jane's with other random bits, so that they lie between Jane's in every index.
"""
import os
import random
import time
import uuid

import rest
import specs
from timing_classes import samples
from timing_classes.probes import ROUTES, Grpc, Rest

ROUNDS, LOT = int(os.environ.get("TIMING_ROUNDS", 1500)), 500
WARM, EACH, NEAR, NEAR_FAST = 300, 40, 0.05, 0.1
rng = random.Random(1912)
namespace, tag = os.environ["KFP_NAMESPACE"], f"timing-{time.time_ns():x}"
jane, token = rest.jane(), rest.token("OTHER_TOKEN_PATH")


def janes() -> dict:
    ids: dict = {"experiment": [], "pipeline": [], "recurring": [], "run": []}
    for number in range(EACH):
        ids["experiment"].append(jane.experiment(f"{tag}-{number}"))
        body = {"pipeline": {"name": f"{tag}-{number}", "namespace": namespace}, "pipeline_version": {"pipeline_spec": specs.HELLO}}
        ids["pipeline"].append(jane.ok("POST", "/apis/v2beta1/pipelines/create", body)["pipeline_id"])
        body = {"display_name": tag, "experiment_id": ids["experiment"][-1], "max_concurrency": "1", "pipeline_spec": specs.HELLO,
                "trigger": {"cron_schedule": {"cron": "0 0 0 1 1 *"}}}
        ids["recurring"].append(jane.ok("POST", "/apis/v2beta1/recurringruns", body)["recurring_run_id"])
        body = {"display_name": tag, "experiment_id": ids["experiment"][-1], "pipeline_spec": specs.HELLO}
        ids["run"].append(jane.ok("POST", "/apis/v2beta1/runs", body)["run_id"])
    for run in ids["run"]:
        assert jane.ended(run)["state"] == "SUCCEEDED"
    return ids


def near(id_: str) -> str:
    """An id that nothing has, beside one that something has: of the same moment, with other random bits."""
    return id_[:15] + str(uuid.UUID(int=rng.getrandbits(128), version=4))[15:]


def measured(probe, call: str, foreign: list) -> tuple:
    """The times for Jane's ids, and for either set that nothing has."""
    sets = (foreign, [near(id_) for id_ in foreign], [near(id_) for id_ in foreign])
    times: tuple = ([], [], [])
    for number in range(WARM + ROUNDS):
        answers = [(which, probe.ask(call, rng.choice(sets[which]))) for which in rng.sample(range(3), 3)]
        assert len({status for _, (status, _) in answers}) == 1, f"{call} answers differently: {answers}"
        if number >= WARM:
            for which, (_, took) in answers:
                times[which].append(took)
        if number > WARM and (number - WARM) % LOT == 0 and within(told(times), 0.5):
            break
    return times


def told(times: tuple) -> list:
    """How far Jane's ids can be told from those that nothing has: by all of their times, and by the faster half."""
    theirs, absent = times[0], times[1] + times[2]
    return [samples.auc(theirs, absent), samples.auc(samples.faster(theirs), samples.faster(absent))]


def within(found: list, part: float = 1) -> bool:
    return all(abs(each - 0.5) <= part * near_ for each, near_ in zip(found, (NEAR, NEAR_FAST)))


ids, wrong, farthest, rounds = janes(), [], [0.0, 0.0], 0
for name, probe in (("REST", Rest(token)), ("gRPC", Grpc(token))):
    for call, (kind, _, _) in ROUTES.items():
        theirs, one, other = times = measured(probe, call, ids[kind])
        absent, found = one + other, told(times)
        rounds += len(theirs)
        themselves = [samples.auc(one, other), samples.auc(samples.faster(one), samples.faster(other))]
        farthest = [max(far, abs(each - 0.5)) for far, each in zip(farthest, found)]
        later = " ".join(
            f"{samples.later(theirs, absent, part):+.1f}/{samples.later(one, other, part):+.1f}" for part in (0.05, 0.25, 0.5))
        said = (f"{name} {call}: foreign {found[0]:.3f} (z {samples.z(theirs, absent):+.1f}), the faster half {found[1]:.3f}; "
                f"absent among themselves {themselves[0]:.3f} (z {samples.z(one, other):+.1f}), {themselves[1]:.3f}; "
                f"median {samples.quantile(absent, 0.5) / 1000:.0f} us; later by us at 5, 25, 50 %: {later}")
        print(said, flush=True)
        if not within(found):
            wrong.append(f"Jane's ids can be told by the time: {said}")
assert not wrong, "\n".join(wrong)
print(f"{2 * len(ROUTES)} calls, {rounds} rounds of three: the farthest from a half is {farthest[0]:.3f} of {NEAR} that are "
      f"allowed, and for the faster half {farthest[1]:.3f} of {NEAR_FAST}")
