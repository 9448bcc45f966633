"""An upload that names no namespace, as both SDKs make it by default (version 1 cannot even name one).

It proves that the pipeline is private to the caller's own Profile instead of shared with everybody, and that a caller
with several Profiles hears which they are instead of having one of them chosen.
"""
import os
import time

import kfp
import kfp_server_api

if kfp.__version__.startswith("1."):
    from kfp.auth import ServiceAccountTokenVolumeCredentials
else:
    from kfp.client.set_volume_credentials import ServiceAccountTokenVolumeCredentials

package = os.path.join(os.environ["PIPELINES"], "words.yaml")
name = f"homeless-{time.time_ns():x}"


def client(variable):
    credentials = ServiceAccountTokenVolumeCredentials(path=os.environ[variable])
    return kfp.Client(host=os.environ["KFP_HOST"], credentials=credentials)


def refusal(call, *args, **kwargs):
    try:
        answer = call(*args, **kwargs)
    except kfp_server_api.ApiException as error:
        return error
    raise AssertionError(f"was not refused: {answer}")


jane, john, sam = (client(v) for v in ("KF_PIPELINES_SA_TOKEN_PATH", "OTHER_TOKEN_PATH", "SEVERAL_TOKEN_PATH"))

pipeline = jane.upload_pipeline(package, pipeline_name=name)
if kfp.__version__.startswith("1."):
    id_ = pipeline.id
    home = [reference.key.id for reference in pipeline.resource_references or []]
else:
    id_ = pipeline.pipeline_id
    home = [pipeline.namespace]
assert home == [os.environ["KFP_NAMESPACE"]], home
assert refusal(john.get_pipeline, id_).status == 404
# The same name in somebody else's own namespace is no conflict, and says nothing of the first.
john.upload_pipeline(package, pipeline_name=name)

error = refusal(sam.upload_pipeline, package, pipeline_name=name)
text = error.body if isinstance(error.body, str) else error.body.decode()
assert error.status == 400, (error.status, text)
assert "sam-blue" in text and "sam-green" in text, text
assert os.environ["KFP_NAMESPACE"] not in text, text
print(f"kfp {kfp.__version__}: {name} is in {home[0]}")
