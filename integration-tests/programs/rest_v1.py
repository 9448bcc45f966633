"""The generated client of version 1, which says by resource references where a thing belongs.

It proves that references to namespaces, experiments and pipelines are understood and given back, with a run of the
pipeline that PIPELINE_ID names and with parameters in both of their places.
"""
import os
import time

import kfp_server_api as api

host, namespace = os.environ["KFP_HOST"], os.environ["KFP_NAMESPACE"]
tag = f"{time.time_ns():x}"


def client(token):
    configuration = api.Configuration(host=host)
    if token:
        configuration.api_key["authorization"] = token
        configuration.api_key_prefix["authorization"] = "Bearer"
    return api.ApiClient(configuration)


def reference(type_, id_, relationship=api.ApiRelationship.OWNER):
    return api.ApiResourceReference(key=api.ApiResourceKey(type=type_, id=id_), relationship=relationship)


def refused(status, call, *args, **kwargs):
    try:
        answer = call(*args, **kwargs)
    except api.ApiException as error:
        assert error.status == status, f"{error.status} instead of {status}: {error.body}"
        return
    raise AssertionError(f"was not refused: {answer}")


jane = client(open(os.environ["KF_PIPELINES_SA_TOKEN_PATH"]).read().strip())
john = client(open(os.environ["OTHER_TOKEN_PATH"]).read().strip())
experiments, runs, pipelines = api.ExperimentServiceApi(jane), api.RunServiceApi(jane), api.PipelineServiceApi(jane)
NAMESPACE, EXPERIMENT = api.ApiResourceType.NAMESPACE, api.ApiResourceType.EXPERIMENT

made = api.ApiExperiment(name=f"by-reference-{tag}", resource_references=[reference(NAMESPACE, namespace)])
experiment = experiments.create_experiment(body=made)
assert experiments.get_experiment(experiment.id).resource_references[0].key.id == namespace
listed = experiments.list_experiment(resource_reference_key_type=NAMESPACE, resource_reference_key_id=namespace, page_size=200)
assert experiment.id in [e.id for e in listed.experiments]
refused(409, experiments.create_experiment, body=made)
refused(400, experiments.create_experiment, body=api.ApiExperiment(name="nowhere"))
refused(400, experiments.list_experiment)

owned = pipelines.list_pipelines(resource_reference_key_type=NAMESPACE, resource_reference_key_id=namespace, page_size=200)
assert os.environ["PIPELINE_ID"] in [p.id for p in owned.pipelines]
assert "pipelineInfo" in pipelines.get_template(os.environ["PIPELINE_ID"]).template


def start(**spec):
    return runs.create_run(body=api.ApiRun(
        name=f"run-{tag}", resource_references=[reference(EXPERIMENT, experiment.id)],
        pipeline_spec=api.ApiPipelineSpec(**spec))).run


plain = start(pipeline_id=os.environ["PIPELINE_ID"])
configured = start(
    pipeline_id=os.environ["PIPELINE_ID"],
    runtime_config=api.PipelineSpecRuntimeConfig(parameters={"how_many": 5, "expected": 10}))
for run in (plain, configured):
    while runs.get_run(run.id).run.status not in ("Succeeded", "Failed", "Error"):
        time.sleep(0.5)
    assert runs.get_run(run.id).run.status == "Succeeded", runs.get_run(run.id).run

listed = runs.list_runs(resource_reference_key_type=EXPERIMENT, resource_reference_key_id=experiment.id)
assert {r.id for r in listed.runs} == {plain.id, configured.id}
keys = [(r.key.type, r.key.id) for r in listed.runs[0].resource_references]
assert (NAMESPACE, namespace) in keys and (EXPERIMENT, experiment.id) in keys, keys
runs.archive_run(plain.id)
assert runs.get_run(plain.id).run.storage_state == "STORAGESTATE_ARCHIVED"
runs.unarchive_run(plain.id)
runs.delete_run(plain.id)
refused(404, runs.get_run, plain.id)

for stranger, in_namespace, by_id in ((john, 403, 404), (client(None), 401, 401), (client("not-a-token"), 401, 401)):
    refused(in_namespace, api.ExperimentServiceApi(stranger).create_experiment, body=made)
    refused(in_namespace, api.RunServiceApi(stranger).list_runs,
            resource_reference_key_type=NAMESPACE, resource_reference_key_id=namespace)
    refused(by_id, api.RunServiceApi(stranger).get_run, configured.id)
    refused(by_id, api.RunServiceApi(stranger).terminate_run, configured.id)
    refused(by_id, api.ExperimentServiceApi(stranger).delete_experiment, experiment.id)
print(f"run {configured.id} Succeeded")
