"""What has come of a recurring run, as the API tells it, held against what its plan says."""
import json
from collections import Counter

import rest
from scheduling.plan import Plan, seconds, text

ASKED_FOR = "asked for"
# How long after its moment a run may be made that had nothing to wait for.
LATE = 2


def pages(who: rest.Rest, path: str, key: str, query: dict | None = None) -> list:
    found, token = [], ""
    while True:
        page = who.ok("GET", path, query={**(query or {}), "page_size": 200, "page_token": token})
        found += page.get(key, [])
        token = page.get("next_page_token", "")
        if not token:
            return found


def ticks(who: rest.Rest, recurring: str) -> list:
    """All of them, the first first."""
    return pages(who, f"/apis/bulkhead/v1/schedules/{recurring}/ticks", "ticks")[::-1]


def runs(who: rest.Rest, recurring: dict) -> list:
    predicate = {"key": "recurring_run_id", "operation": "EQUALS", "string_value": recurring["recurring_run_id"]}
    query = {"experiment_id": recurring["experiment_id"], "filter": json.dumps({"predicates": [predicate]})}
    return pages(who, "/apis/v2beta1/runs", "runs", query)


def check(who: rest.Rest, plan: Plan, id_: str, refused: bool = False) -> Counter:
    """How many moments have come to what; raises AssertionError for whatever is not as it must be.

    Nothing may be going on meanwhile. `refused` says that moments may have been.
    """
    recurring = who.ok("GET", f"/apis/v2beta1/recurringruns/{id_}")
    decided = ticks(who, id_)
    asked = {tick["run_id"] for tick in decided if tick.get("reason", "").startswith(ASKED_FOR)}
    of_it = [tick for tick in decided if tick.get("run_id") not in asked]
    all_ = runs(who, recurring)
    made = [run for run in all_ if run["run_id"] not in asked]
    what = f"{recurring['display_name']} ({plan})"
    counts, came_to = Counter(), {}
    last = max((int(seconds(tick["until_time"])) for tick in of_it), default=0)
    moments = plan.moments(int(seconds(recurring["created_at"])), last)
    for tick in of_it:
        first, until = (seconds(tick[key]) for key in ("fire_time", "until_time"))
        within = [moment for moment in moments if first <= moment <= until]
        assert within and (within[0], within[-1]) == (first, until), f"{what}: not of its moments: {tick}"
        assert len(within) == int(tick["moments"]), f"{what}: {len(within)} moments are in {tick}"
        for moment in within:
            assert moment not in came_to, f"{what}: {text(moment)} was decided on twice: {came_to[moment]} and {tick}"
            came_to[moment] = tick
        counts[tick["outcome"]] += len(within)
    lost = [text(moment) for moment in moments if moment not in came_to]
    assert not lost, f"{what}: nothing is known of {len(lost)} moments: {lost[:5]}"
    assert not (plan.catchup and counts["MISSED"]), f"{what}: {counts['MISSED']} moments were not caught up with"
    assert refused or not counts["REFUSED"], f"{what}: refused: {[tick for tick in of_it if tick['outcome'] == 'REFUSED'][:3]}"
    fits(what, of_it, made)
    # Those that were asked for count too.
    at_one_time(what, plan, decided, all_)
    return counts


def fits(what: str, of_it: list, made: list) -> None:
    """Each tick that has fired has its run, and each run its tick."""
    made_at = {run["run_id"]: seconds(run["scheduled_at"]) for run in made}
    fired = Counter(tick["run_id"] for tick in of_it if tick["outcome"] == "FIRED")
    assert not (twice := [run for run, times in fired.items() if times > 1]), f"{what}: of several moments: {twice}"
    strange = made_at.keys() - fired.keys()
    assert not strange, f"{what}: {len(strange)} runs are of no moment, such as {[r for r in made if r['run_id'] in strange][:2]}"
    assert not (gone := fired.keys() - made_at.keys()), f"{what}: {len(gone)} moments have no run, such as {list(gone)[:3]}"
    for tick in of_it:
        if tick["outcome"] == "FIRED":
            assert made_at[tick["run_id"]] == seconds(tick["fire_time"]), f"{what}: the run of {tick} is of {made_at[tick['run_id']]}"
    names = Counter(run["display_name"] for run in made)
    assert max(names.values(), default=1) == 1, f"{what}: runs have the same name: {names.most_common(2)}"


def at_one_time(what: str, plan: Plan, of_it: list, made: list) -> None:
    """No more runs go on than may. The API tells ends by whole seconds, so that what is found has happened."""
    ended = {run["run_id"]: seconds(run["finished_at"]) or float("inf") for run in made}
    began = {tick["run_id"]: seconds(tick["decided_at"]) for tick in of_it if tick["outcome"] == "FIRED" and tick["run_id"] in ended}
    # An end counts before a beginning of the same time.
    changes = sorted([(time, 1) for time in began.values()] + [(max(ended[run], began[run]), -1) for run in began])
    going_on = 0
    for time, change in changes:
        going_on += change
        assert going_on <= plan.at_once, f"{what}: {going_on} runs went on at {time}"


def on_time(what: str, of_it: list) -> None:
    """Each run was made within two seconds of its moment."""
    late = [tick for tick in of_it if tick["outcome"] == "FIRED" and seconds(tick["decided_at"]) - seconds(tick["fire_time"]) > LATE]
    assert not late, f"{what}: {len(late)} runs are late, such as {late[0]}"
