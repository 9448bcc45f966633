"""Who says who they are, and how requests are cut out of a connection."""
import json
import socket
import time
import urllib.parse

from regressions.case import regression
from regressions.stage import API2, JANES, V1, V2, Listener

LIST = f"{V2}/experiments?namespace={JANES}"
# Headers by which one platform or another says who a user is, and what gRPC's gateway would pass on.
CLAIMS = ("kubeflow-userid", "x-goog-authenticated-user-email", "x-forwarded-user", "x-forwarded-email", "x-remote-user",
          "x-auth-request-user", "grpc-metadata-kubeflow-userid", "Grpc-Metadata-Authorization", "x-forwarded-client-cert",
          "impersonate-user", "x-envoy-original-path")
# What is no token of ours, in one way or another: none of them may be anybody.
TOKENS = ("Bearer nothing", "Bearer", "Bearer ", "Bearer null", "Bearer undefined", "Bearer bhk_", "bearer jane@example.com",
          "Token jane@example.com", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJqYW5lQGV4YW1wbGUuY29tIn0.",
          "Basic YWRtaW46cGFzc3dvcmQ=", "Basic amFuZTo=", "Bearer ../../token")


@regression("api9.12")
def api9_12_identity_headers(stage):
    """KFP 2.17: the header with the user's name was believed from any pod of the mesh, and as metadata from any client of gRPC."""
    for header in CLAIMS:
        for claim in ("jane@example.com", "accounts.google.com:jane@example.com", f"Bearer {stage.tokens['john']}",
                      "By=spiffe://x;Hash=0;URI=spiffe://cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account"):
            stage.refused({"nobody": 401, "wrong": 401, "john": (400, 401, 403)}, "GET", LIST, headers={header: claim})
        metadata = [(header.lower(), "jane@example.com")]
        stage.rpc_refused({"nobody": "UNAUTHENTICATED", "john": ("PERMISSION_DENIED", "UNAUTHENTICATED")},
                          f"{API2}.ExperimentService", "ListExperiments", {"namespace": JANES}, metadata)


@regression("CVE-2026-28229")
def cve_2026_28229_bearer_nothing(stage):
    """CVE-2026-28229 (Argo Workflows): the endpoints of templates took any word after `Bearer` for a login."""
    ours = stage.ours
    for token in TOKENS:
        for path in (f"{V1}/pipelines/{ours['pipeline']}/templates", f"{V1}/pipeline_versions/{ours['version']}/templates",
                     f"{V2}/pipelines/{stage.shared}", f"{V1}/pipelines/{stage.shared}/templates",
                     f"{V1}/runs/{ours['run']}/nodes/hello/log", LIST, "/apis/bulkhead/v1/whoami"):
            stage.refused({"nobody": 401}, "GET", path, headers={"Authorization": token})
        stage.rpc_refused({"nobody": "UNAUTHENTICATED"}, "api.PipelineService", "GetTemplate", {"id": stage.shared},
                          [("authorization", token.strip() or "x")])


@regression("CVE-2024-53862")
def cve_2024_53862_archived_with_a_fake_token(stage):
    """CVE-2024-53862 (Argo Workflows): workflows that were archived were read with a fake token, or none."""
    run = stage.run("jane", stage.ours["experiment"], {"pipeline_version_reference": {"pipeline_id": stage.ours["pipeline"]}},
                    "archived")
    stage.caller("jane").ended(run)
    stage.ok("jane", "POST", f"{V2}/runs/{run}:archive")
    for path in (f"{V2}/runs/{run}", f"{V1}/runs/{run}", f"{V1}/runs/{run}/nodes/hello/log",
                 f"{V2}/runs/{run}/nodes/hello/artifacts/greeting:read"):
        stage.refused({"viewer": 200, "john": 404, "nobody": 401, "wrong": 401}, "GET", path)
        for token in TOKENS:
            stage.refused({"nobody": 401}, "GET", path, headers={"Authorization": token})


@regression("MLflow CVE-2026-2635")
def mlflow_cve_2026_2635_default_password(stage):
    """MLflow CVE-2026-2635: a server came with an administrator whose password everybody knew."""
    for word in ("YWRtaW46cGFzc3dvcmQ=", "YWRtaW46YWRtaW4=", "cm9vdDo=", "YnVsa2hlYWQ6YnVsa2hlYWQ=", "bWxmbG93OnBhc3N3b3Jk"):
        stage.refused({"nobody": 401}, "GET", LIST, headers={"Authorization": f"Basic {word}"})
    made = [line.split() for line in stage.server.command("token", "list").splitlines()[1:]]
    assert len(made) >= len(stage.tokens) - 1 and all("@example.com" in " ".join(line) for line in made), made


@regression("CVE-2024-5552")
def cve_2024_5552_expression_without_end(stage):
    """CVE-2024-5552: an e-mail address of the right shape kept a regular expression, and the process, busy, without a login."""
    long = "a@" + "a." * 4000 + "!"
    for headers in (
            {"kubeflow-userid": long}, {"Authorization": f"Bearer bhk_{long}"}, {"Authorization": "Bearer " + "eyJ." * 2000},
            {"x-request-id": long}, {"Grpc-Timeout": "9" * 5000 + "S"}):
        began = time.monotonic()
        answer = stage.call("nobody", "GET", LIST, headers=headers)
        assert answer.status in (400, 401, 431) and time.monotonic() - began < 2, (answer, time.monotonic() - began)
    hard = ["((a+)+)+" * 500, "%" * 5000, "a@" + "a." * 4000]
    for word in hard:
        began = time.monotonic()
        predicate = {"operation": "IS_SUBSTRING", "key": "name", "string_value": word}
        query = {"namespace": "john-roe", "filter": json.dumps({"predicates": [predicate]})}
        stage.refused({"john": (200, 400)}, "GET", f"{V2}/experiments", query=query)
        stage.refused({"john": 400}, "GET", f"{V2}/experiments", query={"namespace": "john-roe", "sort_by": word})
        assert time.monotonic() - began < 4, word[:20]


def raw(stage, request: bytes, seconds: float = 3) -> bytes:
    """What comes back on a connection of its own, up to its end or until nothing more comes."""
    host = urllib.parse.urlsplit(stage.server.host)
    with socket.create_connection((host.hostname, host.port), timeout=seconds) as connection:
        connection.sendall(request)
        answer = b""
        try:
            while more := connection.recv(65536):
                answer += more
        except TimeoutError:
            pass
        return answer


@regression("CVE-2026-54745")
def cve_2026_54745_proxy_and_smuggling(stage):
    """CVE-2026-54745 (the UI's `/_proxy/` route, KFP #13511): whoever asked had the server call any address, and two requests
    were hidden in one, so that the second passed without a check."""
    heard, inside = len(Listener.heard), f"127.0.0.2:{stage.port(1)}"
    jane = f"Authorization: Bearer {stage.tokens['jane']}\r\n"
    for line in (f"GET http://{inside}/x HTTP/1.1", f"CONNECT {inside} HTTP/1.1", f"GET /_proxy/{inside}/x HTTP/1.1",
                 f"GET /_proxy/http://{inside}/x HTTP/1.1", f"POST http://{inside}/apis/v2beta1/runs HTTP/1.1"):
        for login in ("", jane):
            answer = raw(stage, f"{line}\r\nHost: {inside}\r\n{login}Connection: close\r\nContent-Length: 0\r\n\r\n".encode())
            assert answer.split(b" ")[1] in (b"400", b"401", b"404", b"405", b"501"), (line, answer[:300])
    assert Listener.heard[heard:] == [], Listener.heard
    # The second of each pair has no login, and must never borrow that of the first.
    second = f"GET {LIST} HTTP/1.1\r\nHost: x\r\n\r\n"
    for head, body in (
            ("Content-Length: 5\r\nTransfer-Encoding: chunked", f"0\r\n\r\n{second}"),
            (f"Content-Length: {len(second)}\r\nContent-Length: 0", second),
            ("Transfer-Encoding: xchunked", f"0\r\n\r\n{second}"),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", f"0\r\n\r\n{second}"),
            ("Transfer-Encoding : chunked", f"0\r\n\r\n{second}"),
            ("Content-Length: +0", second),
            ("Content-Length: 0", second)):
        answer = raw(stage, f"POST {V2}/filters HTTP/1.1\r\nHost: x\r\n{jane}{head}\r\n\r\n{body}".encode())
        later = answer.split(b"HTTP/1.1 ")[2:]
        assert all(each.startswith((b"400", b"401")) for each in later) and b"experiment_id" not in answer, (head, answer)
    stage.alive()
