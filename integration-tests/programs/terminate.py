"""A run that is stopped from either SDK.

It proves that waiting for it returns, that it ends FAILED with an error that names who terminated it, that nobody else
can do so, and that none of its processes is left.
"""
import os
import time

import kfp
import kfp_server_api

import processes
import rest

ONE = kfp.__version__.startswith("1.")
if ONE:
    from kfp.auth import ServiceAccountTokenVolumeCredentials
else:
    from kfp.client.set_volume_credentials import ServiceAccountTokenVolumeCredentials

namespace, marker = os.environ["KFP_NAMESPACE"], f"nap-{time.time_ns():x}"


def client(variable):
    credentials = ServiceAccountTokenVolumeCredentials(path=os.environ[variable])
    return kfp.Client(host=os.environ["KFP_HOST"], credentials=credentials)


def terminate(sdk, run):
    return sdk._run_api.terminate_run(run) if ONE else sdk.terminate_run(run)


def refused(status, sdk, run):
    try:
        terminate(sdk, run)
    except kfp_server_api.ApiException as error:
        assert error.status == status, f"{error.status} instead of {status}: {error.body}"
        return
    raise AssertionError("was not refused")


sdk = client("KF_PIPELINES_SA_TOKEN_PATH")
pipeline = rest.jane().pipeline("nap", marker)
experiment = sdk.create_experiment(name=marker, namespace=namespace)
# The parameters go over plain REST: the older SDK has no place for those of the newer pipelines.
run = rest.jane().run(experiment.id if ONE else experiment.experiment_id, pipeline, parameters={"marker": marker})
processes.wait_for_some(f"{marker}-asleep", least=2)

refused(404, client("OTHER_TOKEN_PATH"), run)
assert len(processes.with_argument(f"{marker}-asleep")) == 2
asked = time.monotonic()
terminate(sdk, run)
done = sdk.wait_for_run_completion(run, timeout=60)
took = time.monotonic() - asked
if ONE:
    assert done.run.status == "Failed", done.run
    why = done.run.error or ""
else:
    assert done.state == "FAILED", done
    assert done.state_history[-1].state == "FAILED", done.state_history
    why = str(done.error)
assert "jane@example.com" in why and "terminated" in why.lower(), why
processes.wait_for_none(marker)
refused(400, sdk, run)
print(f"kfp {kfp.__version__}: {took:.1f} s from terminating to the end of waiting: {why.strip()}")
