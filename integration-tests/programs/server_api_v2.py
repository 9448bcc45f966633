"""Every method of the generated client of version 2, kfp-server-api 2.17.3.

It proves that each of them, found by reflection, succeeds at least once and has the effect that its name tells. The
methods of DEVIATIONS are refused as docs/DEVIATIONS.md says; a method that this program forgets is a failure.
"""
import json
import os
import time
import uuid

import kfp_server_api as api
import yaml

import generated
import rest

namespace, tag = os.environ["KFP_NAMESPACE"], f"{time.time_ns():x}"
DEVIATIONS = {
    # Nothing here makes HTML of what users send.
    "visualization_service_create_visualization_v1",
    # Schedules are the server's own; nobody else has one to report.
    "report_service_report_scheduled_workflow",
}
everything = generated.Everything(os.environ["KFP_HOST"])
jane = everything.person(rest.token("KF_PIPELINES_SA_TOKEN_PATH"))
agent = everything.person(rest.token("AGENT_TOKEN_PATH"))
words = os.path.join(os.environ["PIPELINES"], "words.yaml")
spec = yaml.safe_load(rest.compiled("words"))


def gone(name, *args):
    jane.refused(404, [args[-1]], name, *args)


def reached(run_id, state, times=1):
    """Waits until a run is in the state, for the first time or for a later one, and gives it."""
    deadline = time.monotonic() + 120
    while (run := jane.run_service_get_run(run_id)).state != state or [s.state for s in run.state_history].count(state) < times:
        assert time.monotonic() < deadline, f"not {state} within 120 s: {run}"
        time.sleep(0.2)
    return run


# The server itself
assert jane.healthz_service_get_healthz().multi_user is True
jane.auth_service_authorize(namespace=namespace, resources="VIEWERS", verb="GET")
jane.refused(403, [""], "auth_service_authorize", namespace=os.environ["OTHER_NAMESPACE"], resources="VIEWERS", verb="GET")
assert isinstance(jane.dummy_filter_service_get_filter(), api.V2beta1Filter)

# Experiments
experiment = jane.experiment_service_create_experiment(
    api.V2beta1Experiment(display_name=f"all-{tag}", description="every method", namespace=namespace)).experiment_id
assert jane.experiment_service_get_experiment(experiment).description == "every method"
listed = jane.experiment_service_list_experiments(namespace=namespace, page_size=200, sort_by="created_at desc")
assert experiment in [e.experiment_id for e in listed.experiments]
jane.experiment_service_archive_experiment(experiment)
assert jane.experiment_service_get_experiment(experiment).storage_state == "ARCHIVED"
jane.experiment_service_unarchive_experiment(experiment)
assert jane.experiment_service_get_experiment(experiment).storage_state == "AVAILABLE"

# Pipelines and versions: from a file, and from a spec in the request
pipeline = jane.upload_pipeline(words, name=f"uploaded-{tag}", namespace=namespace, tags=json.dumps({"team": "deck"})).pipeline_id
second = jane.upload_pipeline_version(words, name=f"second-{tag}", pipelineid=pipeline).pipeline_version_id
third = jane.pipeline_service_create_pipeline_version(
    pipeline, api.V2beta1PipelineVersion(pipeline_id=pipeline, name=f"third-{tag}", pipeline_spec=spec)).pipeline_version_id
assert jane.pipeline_service_get_pipeline_version(pipeline, third).pipeline_spec["pipelineInfo"]["name"] == "words"
listed = jane.pipeline_service_list_pipeline_versions(pipeline, sort_by="created_at")
assert {second, third} < {v.pipeline_version_id for v in listed.pipeline_versions} and listed.total_size == 3, listed
changed = jane.pipeline_service_update_pipeline_version(pipeline, second, api.InlineObject1(display_name="The second", tags={"a": "b"}))
assert (changed.display_name, changed.name, changed.tags) == ("The second", f"second-{tag}", {"a": "b"}), changed
jane.pipeline_service_delete_pipeline_version(pipeline, second)
jane.refused(404, [second], "pipeline_service_get_pipeline_version", pipeline, second)

bare = jane.pipeline_service_create_pipeline(api.V2beta1Pipeline(name=f"bare-{tag}", namespace=namespace)).pipeline_id
whole = jane.pipeline_service_create_pipeline_and_version(api.V2beta1CreatePipelineAndVersionRequest(
    pipeline=api.V2beta1Pipeline(name=f"whole-{tag}", namespace=namespace),
    pipeline_version=api.V2beta1PipelineVersion(pipeline_spec=spec))).pipeline_id
assert jane.pipeline_service_list_pipeline_versions(whole).total_size == 1
# From a URL there is nothing unless the server is configured for it, which this one is not.
jane.refused(400, ["pipelines.url"], "pipeline_service_create_pipeline_version", pipeline, api.V2beta1PipelineVersion(
    pipeline_id=pipeline, name=f"fetched-{tag}", package_url=api.V2beta1Url(pipeline_url="https://example.com/words.yaml")))
assert jane.pipeline_service_get_pipeline_by_name(f"whole-{tag}", namespace=namespace).pipeline_id == whole
assert jane.pipeline_service_get_pipeline(pipeline).tags == {"team": "deck"}
changed = jane.pipeline_service_update_pipeline(bare, api.InlineObject(display_name="The bare one", tags={"hull": "oak"}))
assert (changed.display_name, changed.tags) == ("The bare one", {"hull": "oak"}), changed
listed = jane.pipeline_service_list_pipelines(namespace=namespace, page_size=200, sort_by="created_at desc").pipelines
assert {pipeline, bare, whole} <= {p.pipeline_id for p in listed}
jane.pipeline_service_delete_pipeline(whole, cascade=True)
gone("pipeline_service_get_pipeline", whole)


# Runs
def start(name, pipeline_id=pipeline, **parameters):
    return jane.run_service_create_run(api.V2beta1Run(
        display_name=f"{name}-{tag}", experiment_id=experiment,
        pipeline_version_reference=api.V2beta1PipelineVersionReference(pipeline_id=pipeline_id),
        runtime_config=api.V2beta1RuntimeConfig(parameters=parameters))).run_id


wrong, right = start("wrong", expected=7), start("right")
napping = jane.upload_pipeline(os.path.join(os.environ["PIPELINES"], "nap.yaml"), name=f"nap-{tag}", namespace=namespace)
long = start("long", napping.pipeline_id, marker=f"all-{tag}")
reached(long, "RUNNING")
jane.run_service_terminate_run(long)
reached(right, "SUCCEEDED")
# A terminated run ends failed; the SDKs wait for nothing else.
reached(long, "FAILED")
reached(wrong, "FAILED")
jane.run_service_retry_run(wrong)
reached(wrong, "FAILED", times=2)
jane.refused(409, [right, "SUCCEEDED"], "run_service_retry_run", right)
listed = jane.run_service_list_runs(experiment_id=experiment, sort_by="created_at").runs
assert [r.run_id for r in listed] == [wrong, right, long], listed
jane.run_service_archive_run(right)
assert jane.run_service_get_run(right).storage_state == "ARCHIVED"
jane.run_service_unarchive_run(right)
assert jane.run_service_get_run(right).storage_state == "AVAILABLE"
jane.run_service_delete_run(right)
gone("run_service_get_run", right)

# Recurring runs
recurring = jane.recurring_run_service_create_recurring_run(api.V2beta1RecurringRun(
    display_name=f"nightly-{tag}", experiment_id=experiment, max_concurrency="2", no_catchup=True, mode="ENABLE",
    pipeline_version_reference=api.V2beta1PipelineVersionReference(pipeline_id=pipeline, pipeline_version_id=third),
    trigger=api.V2beta1Trigger(cron_schedule=api.V2beta1CronSchedule(cron="0 0 3 1 1 *")))).recurring_run_id
found = jane.recurring_run_service_get_recurring_run(recurring)
assert (found.status, found.mode, found.max_concurrency, found.namespace) == ("ENABLED", "ENABLE", "2", namespace), found
assert found.trigger.cron_schedule.cron == "0 0 3 1 1 *" and found.no_catchup is True, found
jane.recurring_run_service_disable_recurring_run(recurring)
assert jane.recurring_run_service_get_recurring_run(recurring).status == "DISABLED"
jane.recurring_run_service_enable_recurring_run(recurring)
listed = jane.recurring_run_service_list_recurring_runs(experiment_id=experiment).recurring_runs
assert [(r.recurring_run_id, r.status) for r in listed] == [(recurring, "ENABLED")], listed

# What an agent in a cluster reports: a workflow of a schedule becomes a run of the recurring run.
reported = str(uuid.uuid4())
workflow = {
    "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
    "metadata": {
        "name": f"nightly-{tag}-1", "namespace": namespace, "uid": str(uuid.uuid4()), "labels": {"pipeline/runid": reported},
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "ownerReferences": [{"apiVersion": "kubeflow.org/v1beta1", "kind": "ScheduledWorkflow", "name": "nightly", "uid": recurring}],
    },
    "spec": {},
    "status": {"phase": "Running", "startedAt": "2026-01-01T00:00:00Z"},
}
agent.report_service_report_workflow(json.dumps(workflow))
assert jane.run_service_get_run(reported).state == "RUNNING"
workflow["status"] |= {"phase": "Succeeded", "finishedAt": "2026-01-01T00:01:00Z"}
agent.report_service_report_workflow(json.dumps(workflow))
run = jane.run_service_get_run(reported)
assert (run.state, run.recurring_run_id) == ("SUCCEEDED", recurring), run
jane.refused(403, [""], "report_service_report_workflow", json.dumps(workflow))
schedule = {"apiVersion": "kubeflow.org/v1beta1", "kind": "ScheduledWorkflow", "spec": {"enabled": False},
            "metadata": {"name": "nightly", "namespace": namespace, "uid": recurring}}
agent.refused(400, ['"code":9', '"code": 9'], "report_service_report_scheduled_workflow", json.dumps(schedule))
assert jane.recurring_run_service_get_recurring_run(recurring).status == "ENABLED"
jane.refused(501, ["isualization"], "visualization_service_create_visualization_v1", namespace,
             api.V2beta1Visualization(type="TABLE", source="gs://bucket/table.csv", arguments="{}"))

# The ends
jane.recurring_run_service_delete_recurring_run(recurring, propagation_policy="BACKGROUND")
gone("recurring_run_service_get_recurring_run", recurring)
jane.experiment_service_delete_experiment(experiment)
gone("experiment_service_get_experiment", experiment)
print(everything.complete(DEVIATIONS))
