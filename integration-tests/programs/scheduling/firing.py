"""Moments of all kinds, on time, one after the other, caught up with or not."""
import datetime
import time
import zoneinfo

from scheduling import names, outcome
from scheduling.bench import Bench, until
from scheduling.plan import CHEAP, Plan, seconds, text


def on_time(bench: Bench) -> str:
    """Each run is of its moment, made within two seconds of it, called as upstream calls it, and knows its macros."""
    plans = {"every-second": Plan(1, at_once=10), "by-cron": Plan(2, cron=True, at_once=10), "every-other": Plan(2, at_once=10)}
    given = {"every-second": {"interval_second": 1}, "by-cron": {"cron_expression": "*/2 * * * * *"},
             "every-other": {"interval_second": 2, "params": {"word": names.MACROS}}}
    ids = {name: bench.make(name, max_concurrency=10, **given[name]) for name in plans}
    for name, id_ in ids.items():
        bench.fired(id_, 4)
    bench.rest_of(*ids.values())
    for name, id_ in ids.items():
        outcome.check(bench.rest, plans[name], id_)
        outcome.on_time(name, bench.ticks(id_))
        made = bench.runs(id_)
        names.check(name, made)
        assert all(run["recurring_run_id"] == id_ and run["created_by"] == "jane@example.com" for run in made), made
        assert all(0 <= seconds(run["created_at"]) - seconds(run["scheduled_at"]) <= outcome.LATE for run in made), made
    for index, run in enumerate(bench.runs(ids["every-other"]), 1):
        word = run["runtime_config"]["parameters"]["word"]
        assert word == names.expanded(run, index), (word, names.expanded(run, index))
    # It is the SDK that lists and gets them, too.
    listed = {r.recurring_run_id: r for r in bench.sdk.list_recurring_runs(experiment_id=bench.experiment, page_size=50).recurring_runs}
    assert set(ids.values()) <= listed.keys(), listed
    for id_ in ids.values():
        assert bench.sdk.get_recurring_run(id_).status == "DISABLED" and not bench.schedule(id_).get("next_times")
        bench.sdk.delete_recurring_run(id_)
        assert bench.rest.call("GET", f"/apis/bulkhead/v1/schedules/{id_}/ticks").status == 404
    return "runs on time, by their names and with their macros"


def once(bench: Bench) -> str:
    """Without a trigger there is one run, at once; with an end, none after it; asked for, one besides."""
    body = Plan(1).body("once", bench.experiment, CHEAP) | {"trigger": {}}
    id_ = bench.rest.ok("POST", "/apis/v2beta1/recurringruns", body)["recurring_run_id"]
    end = int(time.time()) + 4
    bounded = bench.make("bounded", interval_second=1, end_time=text(end), max_concurrency=10)
    bench.fired(id_, 1)
    until(lambda: not bench.schedule(bounded).get("next_times") and int(time.time()) > end + 1)
    assert len(bench.ticks(id_)) == 1 and "next_times" not in bench.schedule(id_), bench.schedule(id_)
    counts = outcome.check(bench.rest, Plan(1, end=end, at_once=10), bounded)
    assert seconds(bench.schedule(bounded)["last_time"]) == end, (end, bench.schedule(bounded))
    asked = bench.rest.ok("POST", f"/apis/bulkhead/v1/schedules/{bounded}:fire")["run_id"]
    run = bench.rest.ok("GET", f"/apis/v2beta1/runs/{asked}")
    assert run["recurring_run_id"] == bounded and f"-{counts['FIRED'] + 1}-" in run["display_name"], run
    assert bench.ticks(bounded)[-1]["run_id"] == asked, bench.ticks(bounded)
    bench.rest_of(id_, bounded)
    return "one-off, bounded and asked for"


def zones(bench: Bench) -> str:
    """The clock on the wall says when, in a field of the request or before the expression."""
    zone = "Asia/Kathmandu"
    now = datetime.datetime.now(zoneinfo.ZoneInfo(zone))
    # The minute may be over before the first moment.
    minutes = sorted({now.minute, (now.minute + 1) % 60})
    hours = sorted({now.hour, (now + datetime.timedelta(minutes=1)).hour})
    cron = f"* {','.join(map(str, minutes))} {','.join(map(str, hours))} * * *"
    body = Plan(1, at_once=10).body("by-the-wall", bench.experiment, CHEAP)
    body["trigger"] = {"cron_schedule": {"cron": cron, "time_zone": zone}}
    by_field = bench.rest.ok("POST", "/apis/v2beta1/recurringruns", body)["recurring_run_id"]
    by_text = bench.make("by-the-text", cron_expression=f"CRON_TZ={zone} {cron}", max_concurrency=10)
    utc = bench.make("by-utc", cron_expression=cron, max_concurrency=10)
    for id_, written in ((by_field, cron), (by_text, f"CRON_TZ={zone} {cron}")):
        bench.fired(id_, 2)
        found = bench.read(id_)["trigger"]["cron_schedule"]
        assert found == {"cron": written, "time_zone": zone}, found
    assert not bench.ticks(utc), "it is that late in Kathmandu alone"
    bench.rest_of(by_field, by_text, utc)
    return "by the clocks of Kathmandu"


def one_by_one(bench: Bench) -> str:
    """Of what takes two seconds and is due each second, no two runs go on at one time."""
    all_, last = (bench.make(name, interval_second=1, max_concurrency=1, no_catchup=no_catchup,
                             pipeline_package_path=str(bench.slow))
                  for name, no_catchup in (("all-in-turn", False), ("the-last-one", True)))
    for id_ in (all_, last):
        bench.fired(id_, 3, 30)
    bench.rest_of(all_, last)
    outcome.check(bench.rest, Plan(1), all_)
    counts = outcome.check(bench.rest, Plan(1, catchup=False), last)
    assert counts["MISSED"] >= 2, counts
    missed = bench.ticks(last, "MISSED")[0]
    assert "as many of its runs went on as may at one time, 1" in missed["reason"], missed
    return "one at a time"


def catching_up(bench: Bench) -> str:
    """What was due while it was disabled is made up for, or is not."""
    plans = {"patient": Plan(1, at_once=10), "forgetful": Plan(1, catchup=False, at_once=10)}
    ids = {name: bench.make(name, interval_second=1, max_concurrency=10, no_catchup=not plan.catchup) for name, plan in plans.items()}
    for id_ in ids.values():
        bench.fired(id_, 1)
        bench.sdk.disable_recurring_run(id_)
    last = {name: seconds(bench.schedule(id_)["last_time"]) for name, id_ in ids.items()}
    until(lambda: time.time() > max(last.values()) + 5)
    for id_ in ids.values():
        assert bench.read(id_)["status"] == "DISABLED"
        bench.sdk.enable_recurring_run(id_)
    enabled = time.time()
    for name, id_ in ids.items():
        until(lambda id_=id_: seconds(bench.schedule(id_)["last_time"]) >= enabled + 1)
    bench.rest_of(*ids.values())
    counts = outcome.check(bench.rest, plans["patient"], ids["patient"])
    assert counts["FIRED"] >= 6, counts
    counts = outcome.check(bench.rest, plans["forgetful"], ids["forgetful"])
    assert counts["MISSED"] >= 3, counts
    return "caught up with, and not"


def latest(bench: Bench) -> str:
    """Without a version it is the latest one that runs, as of each moment."""
    pipeline = bench.sdk.upload_pipeline(str(bench.cheap), pipeline_name=f"latest-{bench.experiment}", namespace=bench.namespace)
    # The SDK wants a version.
    body = Plan(1, at_once=10).body("latest", bench.experiment, CHEAP) | {"pipeline_version_reference": {"pipeline_id": pipeline.pipeline_id}}
    del body["pipeline_spec"]
    id_ = bench.rest.ok("POST", "/apis/v2beta1/recurringruns", body)["recurring_run_id"]
    bench.fired(id_, 2)
    second = bench.sdk.upload_pipeline_version(str(bench.cheap), "second", pipeline_id=pipeline.pipeline_id).pipeline_version_id
    uploaded = time.time()

    def versions(wanted) -> set:
        return {run["pipeline_version_reference"]["pipeline_version_id"] for run in bench.runs(id_) if wanted(seconds(run["created_at"]))}

    until(lambda: second in versions(lambda at: True))
    bench.rest_of(id_)
    assert versions(lambda at: at > uploaded + 1) <= {second} and len(versions(lambda at: True)) == 2, versions(lambda at: True)
    return "of the latest version"
