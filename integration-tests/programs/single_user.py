"""A server for one user on their own machine: no login, no namespaces.

It proves that the SDK works without a token or a namespace, that the default experiment is there, and that both API
versions show the same things.
"""
import os
import uuid

import kfp

import rest

host, tag = os.environ["KFP_HOST"], uuid.uuid4().hex[:8]
package = os.path.join(os.environ["PIPELINES"], "words.yaml")
assert "KF_PIPELINES_SA_TOKEN_PATH" not in os.environ

first = rest.nobody().ok("GET", "/apis/v2beta1/experiments")
client = kfp.Client(host=host)
assert not client.get_kfp_healthz().multi_user

experiment = client.create_experiment(name=f"mine-{tag}")
assert not experiment.namespace, experiment
pipeline = client.upload_pipeline(package, pipeline_name=f"words-{tag}")
assert not pipeline.namespace, pipeline
assert client.get_pipeline_id(f"words-{tag}") == pipeline.pipeline_id
version = client.list_pipeline_versions(pipeline.pipeline_id).pipeline_versions[0]
run = client.run_pipeline(
    experiment.experiment_id, f"run-{tag}", pipeline_id=pipeline.pipeline_id, version_id=version.pipeline_version_id,
    params={"how_many": 3, "expected": 3})
done = client.wait_for_run_completion(run.run_id, timeout=600, sleep_duration=1)
assert done.state == "SUCCEEDED", done
assert run.run_id in [r.run_id for r in client.list_runs().runs]

# Without an experiment, the SDK asks for one of this name.
default = client.create_run_from_pipeline_package(package, arguments={}, run_name=f"default-{tag}")
assert default.wait_for_run_completion(timeout=600).state == "SUCCEEDED"
found = client.get_experiment(experiment_name="Default")
assert default.run_id in [r.run_id for r in client.list_runs(experiment_id=found.experiment_id).runs]

# And the server has it from the beginning, for runs that name none.
homeless = rest.nobody().ok("POST", "/apis/v2beta1/runs", {
    "display_name": f"homeless-{tag}", "pipeline_version_reference": {"pipeline_id": pipeline.pipeline_id}})
assert homeless["experiment_id"] == found.experiment_id, (homeless, found)
assert rest.nobody().ended(homeless["run_id"])["state"] == "SUCCEEDED"

old = rest.nobody()
assert old.ok("GET", f"/apis/v1beta1/runs/{run.run_id}")["run"]["status"] == "Succeeded"
assert f"mine-{tag}" in [e["name"] for e in old.ok("GET", "/apis/v1beta1/experiments")["experiments"]]
client.delete_run(run.run_id)
client.delete_experiment(experiment.experiment_id)
assert old.call("GET", f"/apis/v1beta1/runs/{run.run_id}").status == 404
assert [e["display_name"] for e in first.get("experiments", [])] == ["Default"], f"on a new server: {first}"
print(f"run {run.run_id} {done.state}")
