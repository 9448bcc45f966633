"""The SDK of version 1, with the token file that it reads inside of a cluster.

It proves that the older client, its paths and its names for things still work, on a pipeline that PIPELINE_ID names:
experiments, uploads of versions, runs, lists, and somebody else who is kept out. What it compiles itself is stored,
but for what asks for the host.
"""
import os
import time

import kfp
import kfp.auth
import kfp_server_api
from kubernetes import client as k8s

host, namespace = os.environ["KFP_HOST"], os.environ["KFP_NAMESPACE"]
pipeline_id = os.environ["PIPELINE_ID"]
package = os.path.join(os.environ["PIPELINES"], "words.yaml")
tag = f"{time.time_ns():x}"


def refused(status, call, *args, **kwargs):
    try:
        answer = call(*args, **kwargs)
    except kfp_server_api.ApiException as error:
        assert error.status == status, f"{error.status} instead of {status}: {error.body}"
        return
    raise AssertionError(f"{call.__name__}{args}{kwargs} was not refused: {answer}")


client = kfp.Client(host=host, credentials=kfp.auth.ServiceAccountTokenVolumeCredentials(path=None))
assert client.get_kfp_healthz().multi_user is True
client.set_user_namespace(namespace)

experiment = client.create_experiment(name=f"voyage-{tag}", namespace=namespace)
owner = experiment.resource_references[0]
assert (owner.key.type, owner.key.id, owner.relationship) == ("NAMESPACE", namespace, "OWNER"), owner
assert client.create_experiment(name=f"voyage-{tag}", namespace=namespace).id == experiment.id
assert client.get_experiment(experiment_id=experiment.id).storage_state == "STORAGESTATE_AVAILABLE"
assert experiment.id in [e.id for e in client.list_experiments(namespace=namespace, page_size=100).experiments]

pipeline = client.get_pipeline(pipeline_id)
version = client.upload_pipeline_version(package, pipeline_version_name=f"second-{tag}", pipeline_id=pipeline_id)
listed = client.list_pipeline_versions(pipeline_id).versions
assert {pipeline.default_version.id, version.id} <= {v.id for v in listed}, listed
assert client.get_pipeline(pipeline_id).default_version.id == version.id

# One run of the latest version, and one of a version by name.
for arguments in ({"pipeline_id": pipeline_id}, {"version_id": pipeline.default_version.id}):
    run = client.run_pipeline(experiment_id=experiment.id, job_name=f"run-{tag}", **arguments)
    assert run.status == "Pending", run
    detail = client.wait_for_run_completion(run.id, timeout=600)
    assert detail.run.status == "Succeeded", detail.run
    references = {(r.key.type, r.key.id, r.relationship) for r in detail.run.resource_references}
    assert {("EXPERIMENT", experiment.id, "OWNER"), ("NAMESPACE", namespace, "OWNER")} <= references, references
    assert run.id in [r.id for r in client.list_runs(experiment_id=experiment.id).runs]
    assert run.id in [r.id for r in client.list_runs(namespace=namespace, sort_by="created_at desc").runs]

other = kfp.Client(host=host, credentials=kfp.auth.ServiceAccountTokenVolumeCredentials(path=os.environ["OTHER_TOKEN_PATH"]))
refused(403, other.list_experiments, namespace=namespace)
refused(403, other.list_runs, namespace=namespace)
refused(404, other.list_runs, experiment_id=experiment.id)
refused(404, other.get_experiment, experiment_id=experiment.id)
refused(404, other.get_run, run.id)
refused(404, other.get_pipeline, pipeline_id)
refused(404, other.list_pipeline_versions, pipeline_id)
refused(404, other.run_pipeline, experiment.id, "smuggled", pipeline_id=pipeline_id)
refused(401, kfp.Client(host=host, existing_token="not-a-token").list_experiments, namespace=namespace)



def compiled(name, volume):
    """A pipeline of one step with a volume, as this SDK compiles it: a Workflow of Argo."""
    @kfp.dsl.pipeline(name=name)
    def pipeline(text: str = "hello"):
        step = kfp.dsl.ContainerOp(name="echo", image="alpine", command=["echo", text])
        step.add_volume(volume).set_retry(2).set_memory_limit("1Gi").add_pod_label("team", "blue")
    file = os.path.join(os.environ["SCRATCH"], f"{name}.yaml")
    kfp.compiler.Compiler().compile(pipeline, file)
    return file


# What it compiles is stored, unless it asks for more than a tenant may have.
scratch = k8s.V1Volume(name="scratch", empty_dir=k8s.V1EmptyDirVolumeSource())
stored = client.upload_pipeline_version(compiled("harmless", scratch), f"harmless-{tag}", pipeline_id=pipeline_id)
assert [p.name for p in stored.parameters] == ["text"], stored
node = k8s.V1Volume(name="node", host_path=k8s.V1HostPathVolumeSource(path="/"))
refused(400, client.upload_pipeline_version, compiled("harmful", node), f"harmful-{tag}", pipeline_id=pipeline_id)
client.delete_pipeline_version(stored.id)

client.archive_experiment(experiment.id)
assert client.get_experiment(experiment_id=experiment.id).storage_state == "STORAGESTATE_ARCHIVED"
client.delete_pipeline_version(version.id)
assert client.get_pipeline(pipeline_id).default_version.id == pipeline.default_version.id
print(f"run {run.id} {detail.run.status}")
