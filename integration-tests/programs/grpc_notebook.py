"""What a notebook does with stubs of its own: gRPC with a token in the metadata.

The stubs are made from the project's protos at test time. It proves that experiments and runs work that way, and that
for somebody else an id of another tenant and an id of nobody get the same answer in every respect: status, text and
trailing metadata.
"""
import os
import time
import uuid

import grpc

import rest
import stubs  # noqa: F401: it makes what is imported below.
from backend.api.v1beta1 import experiment_pb2 as old, experiment_pb2_grpc as old_grpc
from backend.api.v2beta1 import experiment_pb2, experiment_pb2_grpc, pipeline_pb2, pipeline_pb2_grpc
from backend.api.v2beta1 import run_pb2, run_pb2_grpc

namespace, tag = os.environ["KFP_NAMESPACE"], uuid.uuid4().hex[:8]
JANE = [("authorization", f"Bearer {rest.token('KF_PIPELINES_SA_TOKEN_PATH')}")]
JOHN = [("authorization", f"Bearer {rest.token('OTHER_TOKEN_PATH')}")]
channel = grpc.insecure_channel(rest.Rest().address)
experiments = experiment_pb2_grpc.ExperimentServiceStub(channel)
pipelines = pipeline_pb2_grpc.PipelineServiceStub(channel)
runs = run_pb2_grpc.RunServiceStub(channel)
older = old_grpc.ExperimentServiceStub(channel)


def refusal(call, request, metadata):
    try:
        answer = call(request, metadata=metadata, timeout=30)
    except grpc.RpcError as error:
        return error
    raise AssertionError(f"{type(request).__name__} was not refused: {answer}")


def refused(code, call, request, metadata):
    error = refusal(call, request, metadata)
    assert error.code() == code, f"{type(request).__name__}: {error.code()} instead of {code}: {error.details()}"


def everything(error, id_):
    """What the caller can see of a refusal, with its id blotted out; only the request's own id may differ."""
    def blot(value):
        return value.replace(id_.encode(), b"ID") if isinstance(value, bytes) else value.replace(id_, "ID")

    def visible(metadata):
        return sorted((key, blot(value)) for key, value in metadata or () if key not in ("x-request-id", "date"))

    return error.code(), blot(error.details()), visible(error.initial_metadata()), visible(error.trailing_metadata())


experiment = experiments.CreateExperiment(
    experiment_pb2.CreateExperimentRequest(experiment=experiment_pb2.Experiment(display_name=f"notebook-{tag}", namespace=namespace)),
    metadata=JANE)
assert experiment.namespace == namespace and experiment.storage_state == experiment_pb2.Experiment.AVAILABLE
listed = experiments.ListExperiments(experiment_pb2.ListExperimentsRequest(namespace=namespace, page_size=200), metadata=JANE)
assert experiment.experiment_id in [e.experiment_id for e in listed.experiments]
assert older.GetExperimentV1(old.GetExperimentRequest(id=experiment.experiment_id), metadata=JANE).name == experiment.display_name

pipeline_id = rest.jane().pipeline("words", f"notebook-{tag}")
version = pipelines.ListPipelineVersions(
    pipeline_pb2.ListPipelineVersionsRequest(pipeline_id=pipeline_id), metadata=JANE).pipeline_versions[0]
wanted = run_pb2.Run(display_name=f"notebook-{tag}", experiment_id=experiment.experiment_id)
wanted.pipeline_version_reference.pipeline_id = pipeline_id
wanted.pipeline_version_reference.pipeline_version_id = version.pipeline_version_id
wanted.runtime_config.parameters["how_many"].number_value = 3
wanted.runtime_config.parameters["expected"].number_value = 3
run = runs.CreateRun(run_pb2.CreateRunRequest(run=wanted), metadata=JANE)
assert run.state == run_pb2.PENDING, run
deadline = time.monotonic() + 300
while (now := runs.GetRun(run_pb2.GetRunRequest(run_id=run.run_id), metadata=JANE)).state in (run_pb2.PENDING, run_pb2.RUNNING):
    assert time.monotonic() < deadline, now
    time.sleep(0.2)
assert now.state == run_pb2.SUCCEEDED, now
listed = runs.ListRuns(run_pb2.ListRunsRequest(experiment_id=experiment.experiment_id), metadata=JANE)
assert [r.run_id for r in listed.runs] == [run.run_id] and listed.total_size == 1

by_id = [
    (experiments.GetExperiment, experiment_pb2.GetExperimentRequest, "experiment_id", experiment.experiment_id),
    (experiments.ArchiveExperiment, experiment_pb2.ArchiveExperimentRequest, "experiment_id", experiment.experiment_id),
    (experiments.DeleteExperiment, experiment_pb2.DeleteExperimentRequest, "experiment_id", experiment.experiment_id),
    (older.GetExperimentV1, old.GetExperimentRequest, "id", experiment.experiment_id),
    (pipelines.GetPipeline, pipeline_pb2.GetPipelineRequest, "pipeline_id", pipeline_id),
    (pipelines.DeletePipeline, pipeline_pb2.DeletePipelineRequest, "pipeline_id", pipeline_id),
    (pipelines.ListPipelineVersions, pipeline_pb2.ListPipelineVersionsRequest, "pipeline_id", pipeline_id),
    (runs.GetRun, run_pb2.GetRunRequest, "run_id", run.run_id),
    (runs.TerminateRun, run_pb2.TerminateRunRequest, "run_id", run.run_id),
    (runs.RetryRun, run_pb2.RetryRunRequest, "run_id", run.run_id),
    (runs.DeleteRun, run_pb2.DeleteRunRequest, "run_id", run.run_id),
    (runs.ListRuns, run_pb2.ListRunsRequest, "experiment_id", experiment.experiment_id),
]
for call, request, field, id_ in by_id:
    absent = str(uuid.uuid4())
    foreign = everything(refusal(call, request(**{field: id_}), JOHN), id_)
    nowhere = everything(refusal(call, request(**{field: absent}), JOHN), absent)
    assert foreign[0] == grpc.StatusCode.NOT_FOUND, (request, foreign)
    assert foreign == nowhere, f"{request.__name__} tells a foreign id from an absent one:\n{foreign}\n{nowhere}"
    refused(grpc.StatusCode.UNAUTHENTICATED, call, request(**{field: id_}), [])
    refused(grpc.StatusCode.UNAUTHENTICATED, call, request(**{field: id_}), [("authorization", "Bearer not-a-token")])

in_namespace = [
    (experiments.ListExperiments, experiment_pb2.ListExperimentsRequest(namespace=namespace)),
    (experiments.CreateExperiment, experiment_pb2.CreateExperimentRequest(
        experiment=experiment_pb2.Experiment(display_name="smuggled", namespace=namespace))),
    (pipelines.ListPipelines, pipeline_pb2.ListPipelinesRequest(namespace=namespace)),
    (runs.ListRuns, run_pb2.ListRunsRequest(namespace=namespace)),
]
for call, request in in_namespace:
    refused(grpc.StatusCode.PERMISSION_DENIED, call, request, JOHN)
    refused(grpc.StatusCode.UNAUTHENTICATED, call, request, [])
# An identity that a client claims for itself is none.
for header in ("kubeflow-userid", "x-goog-authenticated-user-email"):
    claims = [(header, "jane@example.com"), (header, "accounts.google.com:jane@example.com")]
    for claim in claims:
        refused(grpc.StatusCode.UNAUTHENTICATED, experiments.ListExperiments, in_namespace[0][1], [claim])
assert runs.GetRun(run_pb2.GetRunRequest(run_id=run.run_id), metadata=JANE).state == run_pb2.SUCCEEDED
print(f"run {run.run_id} SUCCEEDED, {len(by_id)} ids and {len(in_namespace)} namespaces kept")
