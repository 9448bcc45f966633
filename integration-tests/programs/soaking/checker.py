"""What is there, held against what may be there."""
import collections
import time

import rest
from soaking.journal import ABSENT, ARCHIVED, AVAILABLE, Journal

V2 = "/apis/v2beta1"
IDS = {"experiments": "experiment_id", "runs": "run_id", "pipelines": "pipeline_id"}
ENDED_WITHIN = 120


def pages(who: rest.Rest, kind: str, namespace: str, more: dict, path: str = "") -> list:
    """All there are, page by page. Each page must tell the same number, and that must be theirs."""
    found, token, totals = [], "", set()
    while True:
        query = {"namespace": namespace, "page_size": 50, "page_token": token, **more}
        page = who.ok("GET", path or f"{V2}/{kind}", query=query)
        found += page.get(kind, [])
        totals.add(int(page.get("total_size", 0)))
        token = page.get("next_page_token", "")
        if not token:
            break
    assert totals == {len(found)}, f"{kind} of {namespace} {more}: {len(found)} on the pages, and they say {totals}"
    return found


def check(journal: Journal, who: rest.Rest, namespace: str) -> int:
    """Raises AssertionError for whatever is not as it must be. Nobody may be writing.

    What was unknown is known after it, and has to stay so.
    """
    count, there = 0, {}
    for kind, id_ in IDS.items():
        objects = pages(who, kind, namespace, {})
        count += len(objects)
        for what in ("display_name", id_):
            twice = [value for value, times in collections.Counter(each[what] for each in objects).items() if times > 1]
            assert not twice, f"{kind} of {namespace} with the same {what}: {twice[:5]}"
        there[kind] = {each["display_name"]: each for each in objects}
        settle(journal, kind, namespace, there[kind])
    of_state(who, namespace, there)
    ids = {each["experiment_id"] for each in there["experiments"].values()}
    for run in there["runs"].values():
        assert run["experiment_id"] in ids, f"the experiment of {run} is not there"
    for thing in list(journal.things.values()):
        if thing.namespace == namespace and thing.parent and thing.parent.box and thing.parent.known() == ARCHIVED:
            assert thing.known() in (ARCHIVED, ABSENT), f"{thing} is not archived, and its experiment is"
    for pipeline in there["pipelines"].values():
        path = f"{V2}/pipelines/{pipeline['pipeline_id']}/versions"
        versions = who.ok("GET", path)
        assert versions.get("total_size") == len(versions.get("pipeline_versions", [])) == 1, f"{pipeline}: {versions}"
    return count


def settle(journal: Journal, kind: str, namespace: str, there: dict) -> None:
    strange = [name for name in there if (kind, namespace, name) not in journal.things]
    assert not strange, f"{kind} of {namespace} that nobody has asked for, or that were deleted: {strange[:5]}"
    gone = []
    for thing in list(journal.things.values()):
        if (thing.kind, thing.namespace) != (kind, namespace):
            continue
        found = there.get(thing.name)
        state = ABSENT if found is None else found.get("storage_state", AVAILABLE)
        assert state in thing.may, f"{thing} is {state}"
        thing.may = {state}
        if found is None:
            gone.append(thing)
        else:
            assert thing.id in ("", found[IDS[kind]]), f"{thing} has another id: {found}"
            thing.id = found[IDS[kind]]
    # Whatever has such a name from now on is one that nobody has asked for.
    journal.forget(gone)


def of_state(who: rest.Rest, namespace: str, there: dict) -> None:
    """Lists of one storage state have those that are in it, and count them."""
    for kind in ("experiments", "runs"):
        for state in (AVAILABLE, ARCHIVED):
            wanted = f'{{"predicates":[{{"key":"storage_state","operation":"EQUALS","string_value":"{state}"}}]}}'
            found = {each["display_name"] for each in pages(who, kind, namespace, {"filter": wanted})}
            of_all = {name for name, each in there[kind].items() if each["storage_state"] == state}
            assert found == of_all, f"{kind} of {namespace} that are {state}: {found ^ of_all}"


def all_end(who: rest.Rest, namespace: str) -> int:
    """Every run comes to its end, whatever happened on its way."""
    deadline = time.monotonic() + ENDED_WITHIN
    while True:
        runs = pages(who, "runs", namespace, {})
        going = [run for run in runs if run["state"] not in rest.ENDED]
        if not going:
            break
        assert time.monotonic() < deadline, f"{len(going)} runs do not end, such as {going[0]}"
        time.sleep(0.5)
    wrong = [run for run in runs if run["state"] not in ("SUCCEEDED", "SKIPPED")]
    assert not wrong, f"{len(wrong)} runs did not succeed, such as {wrong[0]}"
    return len(runs)
