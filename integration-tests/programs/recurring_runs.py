"""Recurring runs with the SDK: made by cron and by period, read, listed, disabled, enabled, deleted, and refused.

It proves that the client's own calls work and that what the server refuses comes with a reason.
"""
import os
import uuid

import kfp
import kfp_server_api
from kfp.client.set_volume_credentials import ServiceAccountTokenVolumeCredentials

host, namespace = os.environ["KFP_HOST"], os.environ["KFP_NAMESPACE"]
package = os.path.join(os.environ["PIPELINES"], "words.yaml")
tag = uuid.uuid4().hex[:8]
client = kfp.Client(host=host, credentials=ServiceAccountTokenVolumeCredentials(path=None))
client.set_user_namespace(namespace)
experiment = client.create_experiment(name=f"nightly-{tag}", namespace=namespace).experiment_id
pipeline = client.upload_pipeline(package, pipeline_name=f"nightly-{tag}", namespace=namespace).pipeline_id
version = client.list_pipeline_versions(pipeline).pipeline_versions[0].pipeline_version_id
stored = {"pipeline_id": pipeline, "version_id": version}


def make(**given):
    return client.create_recurring_run(experiment_id=experiment, job_name=f"nightly-{tag}", **given)


def read(id_):
    return client.get_recurring_run(id_)


# By cron, of a package that the client sends along.
inline = read(make(pipeline_package_path=package, cron_expression="0 0 9 * * MON-FRI").recurring_run_id)
assert inline.trigger.cron_schedule.cron == "0 0 9 * * MON-FRI" and inline.pipeline_version_reference is None, inline
assert inline.pipeline_spec["root"]["dag"], inline
assert (inline.status, inline.mode, inline.max_concurrency, inline.namespace) == ("ENABLED", "ENABLE", "1", namespace)

# By period, of a stored version, within bounds, and not at once.
bounded = make(
    **stored, interval_second=3600, start_time="2030-01-01T00:00:00Z", end_time="2031-01-01T00:00:00Z",
    no_catchup=True, max_concurrency=10, enabled=False)
bounded = read(bounded.recurring_run_id)
period = bounded.trigger.periodic_schedule
assert period.interval_second == "3600" and (period.start_time.year, period.end_time.year) == (2030, 2031), period
assert bounded.pipeline_version_reference.pipeline_version_id == version, bounded
assert (bounded.status, bounded.mode, bounded.no_catchup, bounded.max_concurrency) == ("DISABLED", "DISABLE", True, "10")

# Switched, twice each.
for switch, status in ((client.enable_recurring_run, "ENABLED"), (client.disable_recurring_run, "DISABLED")):
    for _ in range(2):
        switch(bounded.recurring_run_id)
        assert read(bounded.recurring_run_id).status == status

# Listed.
listed = client.list_recurring_runs(experiment_id=experiment, sort_by="created_at desc")
assert [r.recurring_run_id for r in listed.recurring_runs] == [bounded.recurring_run_id, inline.recurring_run_id]
page = client.list_recurring_runs(namespace=namespace, page_size=1)
second = client.list_recurring_runs(namespace=namespace, page_size=1, page_token=page.next_page_token)
assert page.total_size == 2 and [r.recurring_run_id for r in (*page.recurring_runs, *second.recurring_runs)] == [
    inline.recurring_run_id, bounded.recurring_run_id]

# Refused, with the reason.
for wrong, reason in (
    ({"cron_expression": "0 0 9 * * 7"}, "7 is not between 0 and 6"),
    ({"cron_expression": "0 0 0 31 2 *"}, "never fires"),
    ({"interval_second": 60, "max_concurrency": 11}, "between 1 and 10"),
    ({"interval_second": 60, "params": {"nonsense": 1}}, "nonsense"),
):
    try:
        made = make(**stored, **wrong)
    except kfp_server_api.ApiException as error:
        assert error.status == 400 and reason in error.body, (wrong, error.status, error.body)
    else:
        raise AssertionError(f"{wrong} was not refused: {made}")

# With the experiment goes the schedule, until somebody wants it again.
client.archive_experiment(experiment)
client.unarchive_experiment(experiment)
assert read(inline.recurring_run_id).status == "DISABLED"
for made in (inline, bounded):
    client.delete_recurring_run(made.recurring_run_id)
assert not client.list_recurring_runs(namespace=namespace).recurring_runs
print("made, switched, listed, refused, deleted")
