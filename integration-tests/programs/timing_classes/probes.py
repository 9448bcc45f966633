"""Askers that take the time of a whole answer, on one connection that is kept open."""
import os
import socket
import time
import urllib.parse

import grpc

import stubs  # noqa: F401: it makes what is imported below.
from backend.api.v2beta1 import experiment_pb2, experiment_pb2_grpc, pipeline_pb2, pipeline_pb2_grpc
from backend.api.v2beta1 import recurring_run_pb2, recurring_run_pb2_grpc, run_pb2, run_pb2_grpc
from bulkhead.v1 import files_pb2, files_pb2_grpc

V2 = "/apis/v2beta1"
# Each call, the kind of its id, and its route.
ROUTES = {
    "GetRun": ("run", "GET", f"{V2}/runs/{{}}"),
    "GetExperiment": ("experiment", "GET", f"{V2}/experiments/{{}}"),
    "GetPipeline": ("pipeline", "GET", f"{V2}/pipelines/{{}}"),
    "GetRecurringRun": ("recurring", "GET", f"{V2}/recurringruns/{{}}"),
    "ReadRunLog": ("run", "GET", "/apis/v1beta1/runs/{}/nodes/hello/log"),
    "ListRuns of an experiment": ("experiment", "GET", f"{V2}/runs?experiment_id={{}}"),
    "TerminateRun": ("run", "POST", f"{V2}/runs/{{}}:terminate"),
}


class Rest:
    def __init__(self, token: str):
        address = urllib.parse.urlsplit(os.environ["KFP_HOST"])
        self.socket = socket.create_connection((address.hostname, address.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tail = f" HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n"

    def ask(self, call: str, id_: str) -> tuple:
        """The status, and the nanoseconds that the answer took."""
        _, method, path = ROUTES[call]
        request = (f"{method} {path.format(id_)}" + self.tail).encode()
        began = time.perf_counter_ns()
        self.socket.sendall(request)
        answer = self.socket.recv(65536)
        while b"\r\n\r\n" not in answer or len(answer) < whole(answer):
            more = self.socket.recv(65536)
            assert more, f"the connection ended: {answer!r}"
            answer += more
        took = time.perf_counter_ns() - began
        return int(answer.split(b" ", 2)[1]), took


def whole(answer: bytes) -> int:
    """How long the answer is in all."""
    head, _, _ = answer.partition(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return len(head) + 4 + int(length.split(b":")[1])


class Grpc:
    def __init__(self, token: str):
        channel = grpc.insecure_channel(urllib.parse.urlsplit(os.environ["KFP_HOST"]).netloc)
        runs, logs = run_pb2_grpc.RunServiceStub(channel), files_pb2_grpc.LogServiceStub(channel)
        experiments, pipelines = experiment_pb2_grpc.ExperimentServiceStub(channel), pipeline_pb2_grpc.PipelineServiceStub(channel)
        recurring = recurring_run_pb2_grpc.RecurringRunServiceStub(channel)
        self.metadata = [("authorization", f"Bearer {token}")]
        self.calls = {
            "GetRun": (runs.GetRun, run_pb2.GetRunRequest, "run_id"),
            "GetExperiment": (experiments.GetExperiment, experiment_pb2.GetExperimentRequest, "experiment_id"),
            "GetPipeline": (pipelines.GetPipeline, pipeline_pb2.GetPipelineRequest, "pipeline_id"),
            "GetRecurringRun": (recurring.GetRecurringRun, recurring_run_pb2.GetRecurringRunRequest, "recurring_run_id"),
            "ReadRunLog": (lambda request, **how: list(logs.ReadLog(request, **how)),
                           lambda run_id: files_pb2.ReadLogRequest(run_id=run_id, node_id="hello"), "run_id"),
            "ListRuns of an experiment": (runs.ListRuns, run_pb2.ListRunsRequest, "experiment_id"),
            "TerminateRun": (runs.TerminateRun, run_pb2.TerminateRunRequest, "run_id"),
        }

    def ask(self, call: str, id_: str) -> tuple:
        method, message, field = self.calls[call]
        request, status = message(**{field: id_}), grpc.StatusCode.OK
        began = time.perf_counter_ns()
        try:
            method(request, metadata=self.metadata, timeout=60)
        except grpc.RpcError as error:
            took = time.perf_counter_ns() - began
            status = error.code()
        else:
            took = time.perf_counter_ns() - began
        return status, took
