"""The SDK of version 2, from the first look at the server to runs that have ended.

It proves that the whole way of a user works in their namespace (experiments, uploads, versions, runs with parameters,
tasks, pages, filters, archiving, deleting), and that somebody else's client gets 403 for the namespace and 404 for
every id in it.
"""
import json
import os
import uuid

import kfp
import kfp_server_api
from kfp.client.set_volume_credentials import ServiceAccountTokenVolumeCredentials

host, namespace = os.environ["KFP_HOST"], os.environ["KFP_NAMESPACE"]
package = os.path.join(os.environ["PIPELINES"], "words.yaml")
tag = uuid.uuid4().hex[:8]


def refused(status, call, *args, **kwargs):
    try:
        answer = call(*args, **kwargs)
    except kfp_server_api.ApiException as error:
        assert error.status == status, f"{error.status} instead of {status}: {error.body}"
        return
    raise AssertionError(f"{call.__name__}{args}{kwargs} was not refused: {answer}")


# No path: the file that KF_PIPELINES_SA_TOKEN_PATH names.
client = kfp.Client(host=host, credentials=ServiceAccountTokenVolumeCredentials(path=None))
assert client.get_kfp_healthz().multi_user is True
client.set_user_namespace(namespace)
assert kfp.Client(host=host, credentials=ServiceAccountTokenVolumeCredentials(path=None)).get_user_namespace() == namespace

# Experiments: made once, found again by name and by id.
experiment = client.create_experiment(name=f"voyage-{tag}", description="to the islands", namespace=namespace)
assert (experiment.namespace, experiment.description) == (namespace, "to the islands"), experiment
again = client.create_experiment(name=f"voyage-{tag}", namespace=namespace)
assert again.experiment_id == experiment.experiment_id
found = client.get_experiment(experiment_name=f"voyage-{tag}", namespace=namespace)
assert found.experiment_id == experiment.experiment_id
assert client.get_experiment(experiment_id=experiment.experiment_id).display_name == f"voyage-{tag}"
assert experiment.experiment_id in [e.experiment_id for e in client.list_experiments(namespace=namespace, page_size=100).experiments]

# Pages: one at a time, each once, and the last has no token.
others = {client.create_experiment(name=f"page-{n}-{tag}", namespace=namespace).experiment_id for n in range(3)}
seen, token = [], ""
filter_ = json.dumps({"predicates": [{"operation": "IS_SUBSTRING", "key": "display_name", "stringValue": "page-"}]})
while token is not None:
    page = client.list_experiments(page_token=token, page_size=1, sort_by="created_at desc", namespace=namespace, filter=filter_)
    assert page.total_size == 3, page.total_size
    seen += [e.experiment_id for e in page.experiments]
    token = page.next_page_token
assert len(seen) == 3 and set(seen) == others, (seen, others)

# Pipelines and versions.
pipeline = client.upload_pipeline(package, pipeline_name=f"words-{tag}", description="counts", namespace=namespace)
assert pipeline.namespace == namespace, pipeline
second = client.upload_pipeline_version(package, pipeline_version_name=f"second-{tag}", pipeline_id=pipeline.pipeline_id)
assert second.pipeline_id == pipeline.pipeline_id
versions = client.list_pipeline_versions(pipeline_id=pipeline.pipeline_id, sort_by="created_at").pipeline_versions
assert {v.display_name for v in versions} == {f"words-{tag}", f"second-{tag}"}, versions
first = next(v for v in versions if v.display_name == f"words-{tag}")
assert first.pipeline_spec["pipelineInfo"]["name"] == "words"
got = client.get_pipeline_version(pipeline.pipeline_id, first.pipeline_version_id)
assert got.pipeline_spec["root"] == first.pipeline_spec["root"]
mine = client.list_pipelines(namespace=namespace, page_size=100).pipelines
assert pipeline.pipeline_id in [p.pipeline_id for p in mine]
refused(409, client.upload_pipeline, package, pipeline_name=f"words-{tag}", namespace=namespace)

# A run with parameters: it fails by itself unless both arrive as numbers.
run = client.run_pipeline(
    experiment_id=experiment.experiment_id, job_name=f"run-{tag}", pipeline_id=pipeline.pipeline_id,
    version_id=first.pipeline_version_id, params={"how_many": 6, "expected": 15})
assert run.state == "PENDING", run.state
done = client.wait_for_run_completion(run.run_id, timeout=600, sleep_duration=1)
assert done.state == "SUCCEEDED", done
assert done.finished_at >= done.created_at and done.runtime_config.parameters == {"how_many": 6, "expected": 15}, done
history = [entry.state for entry in done.state_history]
assert history[0] == "PENDING" and history[-1] == "SUCCEEDED", history
tasks = {task.display_name: task.state for task in done.run_details.task_details}
assert {"write-words", "count-words"} <= set(tasks), tasks
assert set(tasks.values()) == {"SUCCEEDED"}, tasks

# A run that fails, and says so: the parameters contradict each other.
failing = client.run_pipeline(
    experiment_id=experiment.experiment_id, job_name=f"failing-{tag}", pipeline_id=pipeline.pipeline_id,
    version_id=second.pipeline_version_id, params={"how_many": 6, "expected": 14})
failed = client.wait_for_run_completion(failing.run_id, timeout=600, sleep_duration=1)
assert failed.state == "FAILED", failed
states = {task.display_name: task.state for task in failed.run_details.task_details}
assert (states["write-words"], states["count-words"]) == ("SUCCEEDED", "FAILED"), states
why = str(failed.error) + "".join(str(task.error) for task in failed.run_details.task_details)
assert "AssertionError" in why and "count-words" in why, why

# A run of a package that is not stored, in an experiment that is made on the way.
inline = client.create_run_from_pipeline_package(
    package, arguments={}, run_name=f"inline-{tag}", experiment_name=f"inline-{tag}", namespace=namespace)
assert inline.wait_for_run_completion(timeout=600).state == "SUCCEEDED"

# Lists by experiment and by namespace, with a filter.
by_experiment = client.list_runs(experiment_id=experiment.experiment_id).runs
assert {r.run_id for r in by_experiment} == {run.run_id, failing.run_id}
by_namespace = client.list_runs(namespace=namespace, sort_by="created_at desc", page_size=100).runs
assert {run.run_id, failing.run_id, inline.run_id} <= {r.run_id for r in by_namespace}
filter_ = json.dumps({"predicates": [{"operation": "EQUALS", "key": "state", "stringValue": "FAILED"}]})
assert [r.run_id for r in client.list_runs(experiment_id=experiment.experiment_id, filter=filter_).runs] == [failing.run_id]

# Somebody with no right here.
other = kfp.Client(host=host, credentials=ServiceAccountTokenVolumeCredentials(path=os.environ["OTHER_TOKEN_PATH"]))
refused(403, other.list_experiments, namespace=namespace)
refused(403, other.list_runs, namespace=namespace)
refused(403, other.list_pipelines, namespace=namespace)
refused(403, other.upload_pipeline, package, pipeline_name=f"smuggled-{tag}", namespace=namespace)
refused(404, other.list_runs, experiment_id=experiment.experiment_id)
refused(404, other.get_experiment, experiment_id=experiment.experiment_id)
refused(404, other.archive_experiment, experiment.experiment_id)
refused(404, other.delete_experiment, experiment.experiment_id)
refused(404, other.get_pipeline, pipeline.pipeline_id)
refused(404, other.delete_pipeline, pipeline.pipeline_id)
refused(404, other.list_pipeline_versions, pipeline.pipeline_id)
refused(404, other.get_pipeline_version, pipeline.pipeline_id, first.pipeline_version_id)
refused(404, other.upload_pipeline_version, package, pipeline_version_name="v", pipeline_id=pipeline.pipeline_id)
for act in (other.get_run, other.terminate_run, other.archive_run, other.delete_run):
    refused(404, act, run.run_id)
refused(404, other.run_pipeline, experiment.experiment_id, "smuggled", pipeline_id=pipeline.pipeline_id,
        version_id=first.pipeline_version_id)
own = other.create_experiment(name=f"own-{tag}", namespace=os.environ["OTHER_NAMESPACE"])
refused(404, other.run_pipeline, own.experiment_id, "borrowed", pipeline_id=pipeline.pipeline_id,
        version_id=first.pipeline_version_id)
for token in ("not-a-token", open(os.environ["KF_PIPELINES_SA_TOKEN_PATH"]).read().strip()[:-1] + "?"):
    refused(401, kfp.Client(host=host, existing_token=token).list_experiments, namespace=namespace)

# Putting away, and throwing away.
client.archive_run(run.run_id)
assert client.get_run(run.run_id).storage_state == "ARCHIVED"
client.unarchive_run(run.run_id)
assert client.get_run(run.run_id).storage_state == "AVAILABLE"
client.delete_run(failing.run_id)
refused(404, client.get_run, failing.run_id)
client.archive_experiment(experiment.experiment_id)
assert client.get_experiment(experiment_id=experiment.experiment_id).storage_state == "ARCHIVED"
client.unarchive_experiment(experiment.experiment_id)
client.delete_pipeline_version(pipeline.pipeline_id, second.pipeline_version_id)
refused(404, client.get_pipeline_version, pipeline.pipeline_id, second.pipeline_version_id)
assert client.get_run(run.run_id).state == "SUCCEEDED"
print(f"run {run.run_id} {done.state}")
