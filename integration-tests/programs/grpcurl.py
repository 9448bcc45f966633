"""grpcurl, a stock command line for gRPC that knows nothing of KFP.

It proves that reflection describes the services well enough to call them, that both API versions answer with a token
in the metadata and with Unauthenticated without, and that the health service asks for no login.
"""
import json
import os
import subprocess
import time

import rest

address = rest.Rest().address
bearer = f"authorization: Bearer {rest.token('KF_PIPELINES_SA_TOKEN_PATH')}"
namespace, name = os.environ["KFP_NAMESPACE"], f"by-grpcurl-{time.time_ns():x}"
NEW, OLD = "kubeflow.pipelines.backend.api.v2beta1", "api"


def grpcurl(*arguments):
    command = [os.environ["GRPCURL"], "-plaintext", "-max-time", "30", *arguments]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def call(symbol, data, *flags):
    done = grpcurl(*flags, "-d", json.dumps(data), address, symbol)
    assert done.returncode == 0, f"{symbol}: {done.returncode} {done.stderr}"
    return json.loads(done.stdout)


def refused(code, symbol, data, *flags):
    # Reflection keeps the good token: what is refused has to be the call.
    done = grpcurl("-reflect-header", bearer, *flags, "-d", json.dumps(data), address, symbol)
    assert done.returncode != 0 and f"Code: {code}" in done.stderr, (done.returncode, done.stdout, done.stderr)


listed = grpcurl("-H", bearer, address, "list")
assert listed.returncode == 0, listed.stderr
services = set(listed.stdout.split())
kinds = ("ExperimentService", "PipelineService", "RunService")
wanted = {f"{package}.{kind}" for package in (NEW, OLD) for kind in kinds} | {"grpc.health.v1.Health"}
assert wanted <= services, f"missing: {wanted - services}, listed: {services}"
described = grpcurl("-H", bearer, address, "describe", f"{NEW}.RunService.CreateRun")
assert f"{NEW}.Run " in described.stdout, described

call(f"{NEW}.ExperimentService/CreateExperiment", {"experiment": {"display_name": name, "namespace": namespace}}, "-H", bearer)
new = call(f"{NEW}.ExperimentService/ListExperiments", {"namespace": namespace}, "-H", bearer)
key = {"resource_reference_key": {"type": "NAMESPACE", "id": namespace}}
old = call(f"{OLD}.ExperimentService/ListExperimentsV1", key, "-H", bearer)
assert name in [e["displayName"] for e in new["experiments"]], new
assert name in [e["name"] for e in old["experiments"]], old

for symbol, data in ((f"{NEW}.ExperimentService/ListExperiments", {"namespace": namespace}),
                     (f"{OLD}.ExperimentService/ListExperimentsV1", key)):
    refused("Unauthenticated", symbol, data)
    refused("Unauthenticated", symbol, data, "-rpc-header", "authorization: Bearer not-a-token")
    refused("PermissionDenied", symbol, data, "-rpc-header", f"authorization: Bearer {rest.token('OTHER_TOKEN_PATH')}")

health = call("grpc.health.v1.Health/Check", {}, "-reflect-header", bearer)
assert health == {"status": "SERVING"}, health
print(f"{len(services)} services, {len(new['experiments'])} experiments")
