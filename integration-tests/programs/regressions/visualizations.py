"""Code of the caller's choice beside the server."""
from regressions.case import regression
from regressions.stage import API1, API2, JANES, UNKNOWN, V1, V2, Listener


@regression("KFP 2.18.1 visualization", "api9.16")
def kfp_2_18_1_visualization_with_an_empty_namespace(stage):
    """KFP 2.18.1 (2.17's visualization_server.go): with an empty namespace a visualization needed no login and ran its code
    in the shared service; with one whose service was not configured, a request ended the server's process."""
    heard = len(Listener.heard)
    source = f"http://127.0.0.1:{stage.port(0)}/source.csv"
    body = {"type": "CUSTOM", "source": source, "arguments": '{"code": ["import os; os._exit(1)"]}'}
    for version in (V1, V2):
        for namespace in ("", "-", "%20", "%00", "..", "kubeflow", "x.example.com%3A80%2F"):
            who = {who: (401, 404) for who in UNKNOWN}
            who |= {who: (400, 403, 404, 501) for who in ("john", "jane", "viewer", "stranger")}
            stage.refused(who, "POST", f"{version}/visualizations/{namespace}", body)
        stage.refused({"nobody": 401, "john": 403, "stranger": 403, "jane": 501, "viewer": 501}, "POST",
                      f"{version}/visualizations/{JANES}", body)
    codes = {who: "UNAUTHENTICATED" for who in UNKNOWN} | {who: ("INVALID_ARGUMENT", "PERMISSION_DENIED") for who in ("john", "jane")}
    for api in (API1, API2):
        for namespace in ("", "-"):
            request = {"visualization": {"type": "CUSTOM", "source": source}, "namespace": namespace}
            stage.rpc_refused(codes, f"{api}.VisualizationService", "CreateVisualizationV1", request)
    assert Listener.heard[heard:] == [], Listener.heard
    stage.alive()
