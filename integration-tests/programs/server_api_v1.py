"""Every method of the generated client of version 1, kfp-server-api 1.8.5.

It proves that each of them, found by reflection, succeeds at least once and has the effect that its name tells; a method
that this program forgets is a failure. Its server may fetch pipelines from this host, which no server does by default.
"""
import base64
import functools
import http.server
import os
import threading
import time

import kfp_server_api as api

import generated
import rest

namespace, pipeline, tag = os.environ["KFP_NAMESPACE"], os.environ["PIPELINE_ID"], f"{time.time_ns():x}"
everything = generated.Everything(os.environ["KFP_HOST"])
jane = everything.person(rest.token("KF_PIPELINES_SA_TOKEN_PATH"))
words = os.path.join(os.environ["PIPELINES"], "words.yaml")


def reference(type_, id_, relationship="OWNER"):
    return api.ApiResourceReference(key=api.ApiResourceKey(type=type_, id=id_), relationship=relationship)


def gone(name, id_):
    jane.refused(404, [id_], name, id_)


def reached(run_id, status):
    """Waits until a run has this status."""
    deadline = time.monotonic() + 120
    while (run := jane.get_run(run_id).run).status != status:
        assert time.monotonic() < deadline, f"not {status} within 120 s: {run}"
        time.sleep(0.2)


IN_NAMESPACE = {"resource_reference_key_type": "NAMESPACE", "resource_reference_key_id": namespace, "page_size": 200}
assert jane.get_healthz().multi_user is True

# Experiments
experiment = jane.create_experiment(
    api.ApiExperiment(name=f"all-{tag}", description="every method", resource_references=[reference("NAMESPACE", namespace)])).id
assert jane.get_experiment(experiment).description == "every method"
assert experiment in [e.id for e in jane.list_experiment(**IN_NAMESPACE).experiments]
jane.archive_experiment(experiment)
assert jane.get_experiment(experiment).storage_state == "STORAGESTATE_ARCHIVED"
jane.unarchive_experiment(experiment)
assert jane.get_experiment(experiment).storage_state == "STORAGESTATE_AVAILABLE"

# Pipelines and versions
uploaded = jane.upload_pipeline(words, name=f"uploaded-{tag}", description="twice").id
second = jane.upload_pipeline_version(words, name=f"second-{tag}", pipelineid=uploaded).id
assert jane.get_pipeline(uploaded).default_version.id == second
assert uploaded in [p.id for p in jane.list_pipelines(**IN_NAMESPACE).pipelines]
assert jane.get_pipeline_version(second).name == f"second-{tag}"
assert jane.list_pipeline_versions(resource_key_type="PIPELINE", resource_key_id=uploaded).total_size == 2
assert jane.get_template(uploaded).template == jane.get_pipeline_version_template(second).template != ""
jane.update_pipeline_default_version(uploaded, second)
jane.delete_pipeline_version(second)
gone("get_pipeline_version", second)
assert jane.get_pipeline(uploaded).default_version.id != second
jane.delete_pipeline(uploaded)
gone("get_pipeline", uploaded)

# The same from a URL
files = functools.partial(http.server.SimpleHTTPRequestHandler, directory=os.environ["PIPELINES"])
shelf = http.server.ThreadingHTTPServer(("127.0.0.1", 0), files)
threading.Thread(target=shelf.serve_forever, daemon=True).start()
url = api.ApiUrl(pipeline_url=f"http://127.0.0.1:{shelf.server_port}/words.yaml")
fetched = jane.create_pipeline(api.ApiPipeline(
    name=f"fetched-{tag}", url=url, resource_references=[reference("NAMESPACE", namespace)])).id
assert "pipelineInfo" in jane.get_template(fetched).template
again = jane.create_pipeline_version(api.ApiPipelineVersion(
    name=f"fetched-again-{tag}", package_url=url, resource_references=[reference("PIPELINE", fetched)])).id
assert jane.get_pipeline(fetched).default_version.id == again


# Runs
def start(name, id_=pipeline, **parameters):
    return jane.create_run(api.ApiRun(
        name=f"{name}-{tag}", resource_references=[reference("EXPERIMENT", experiment)],
        pipeline_spec=api.ApiPipelineSpec(
            pipeline_id=id_, runtime_config=api.PipelineSpecRuntimeConfig(parameters=parameters)))).run.id


wrong, right = start("wrong", expected=7), start("right")
napping = jane.upload_pipeline(os.path.join(os.environ["PIPELINES"], "nap.yaml"), name=f"nap-{tag}").id
long = start("long", napping, marker=f"all-{tag}")
reached(long, "Running")
jane.terminate_run(long)
reached(right, "Succeeded")
# A terminated run ends failed; the SDKs wait for nothing else.
reached(long, "Failed")
reached(wrong, "Failed")
jane.retry_run(wrong)
# Only the newer version tells what a run went through.
deadline = time.monotonic() + 120
while [s["state"] for s in rest.jane().ok("GET", f"/apis/v2beta1/runs/{wrong}")["state_history"]].count("FAILED") < 2:
    assert time.monotonic() < deadline, f"the retried run has not failed again within 120 s: {jane.get_run(wrong)}"
    time.sleep(0.2)
listed = jane.list_runs(resource_reference_key_type="EXPERIMENT", resource_reference_key_id=experiment, sort_by="created_at")
assert [r.id for r in listed.runs] == [wrong, right, long], listed
made = jane.read_artifact(right, "write-words", "words").data
assert base64.b64decode(made) == b"\nahoy \nahoy ahoy \nahoy ahoy ahoy \n", made
metric = api.ApiRunMetric(name="accuracy", node_id="count-words", number_value=0.75, format="PERCENTAGE")
body = api.ApiReportRunMetricsRequest(run_id=right, metrics=[metric])
assert [r.status for r in jane.report_run_metrics(right, body).results] == ["OK"]
assert [r.status for r in jane.report_run_metrics(right, body).results] == ["DUPLICATE_REPORTING"]
kept = jane.get_run(right).run.metrics
assert [(m.name, m.node_id, m.number_value, m.format) for m in kept] == [("accuracy", "count-words", 0.75, "PERCENTAGE")], kept
jane.archive_run(right)
assert jane.get_run(right).run.storage_state == "STORAGESTATE_ARCHIVED"
jane.unarchive_run(right)
assert jane.get_run(right).run.storage_state in (None, "STORAGESTATE_AVAILABLE")
jane.delete_run(right)
gone("get_run", right)

# Jobs
job = jane.create_job(api.ApiJob(
    name=f"hourly-{tag}", enabled=True, max_concurrency="1", no_catchup=True,
    resource_references=[reference("EXPERIMENT", experiment)], pipeline_spec=api.ApiPipelineSpec(pipeline_id=pipeline),
    trigger=api.ApiTrigger(periodic_schedule=api.ApiPeriodicSchedule(interval_second="3600")))).id
found = jane.get_job(job)
assert (found.enabled, found.status, found.max_concurrency) == (True, "ENABLED", "1"), found
assert found.trigger.periodic_schedule.interval_second == "3600" and found.no_catchup is True, found
jane.disable_job(job)
assert not jane.get_job(job).enabled
jane.enable_job(job)
listed = jane.list_jobs(resource_reference_key_type="EXPERIMENT", resource_reference_key_id=experiment).jobs
assert [(j.id, j.enabled) for j in listed] == [(job, True)], listed
jane.delete_job(job)
gone("get_job", job)

jane.delete_experiment(experiment)
gone("get_experiment", experiment)
print(everything.complete(set()))
