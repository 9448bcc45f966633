"""How a decision is remembered, and what is known of others beside it."""
import json
import urllib.parse

import grpc

from regressions.case import not_here, regression, until
from regressions.stage import API2, JANES, OWN, UNKNOWN, V1, V2

not_here("GHSA-qv29-qxgh-jcw8",
         "the SDK sent a token of Google's to a wrong host; there is no SDK of ours, and the server sends nobody's token on")
not_here(
    "Kubeflow #6228",
    "anybody took any namespace through the access management API; there is none, Profiles and bindings are the operator's files"
)
not_here("Kubeflow #6077", "the same")
not_here("MLflow CVE-2026-2393",
         "webhooks called any address; there are none, and no route of the API takes a URL but those of `urls.py`")
not_here(
    "api9.14",
    "one bucket held everybody's objects, by prefix; there is no object store yet, and artifacts are files that `artifacts.py` tries"
)
not_here("api9.18", "the webhook server read any namespace for whoever asked; there is no webhook")


def bound(name: str, subject: dict, role: dict, rules: list | None = None) -> list:
    """A binding in Jane's namespace, and the role of its own if it has rules."""
    group, meta = "rbac.authorization.k8s.io", {"name": name, "namespace": JANES}
    found = [{"apiVersion": f"{group}/v1", "kind": "RoleBinding", "metadata": meta, "roleRef": {"apiGroup": group, **role},
              "subjects": [{"apiGroup": group, **subject}]}]
    if rules:
        found.append({"apiVersion": f"{group}/v1", "kind": "Role", "metadata": meta, "rules": rules})
    return found


@regression("OpenFGA CVE-2026-33729", "OpenFGA CVE-2026-34972", "OpenFGA CVE-2025-55213", "OpenFGA CVE-2026-24851",
            "OpenFGA CVE-2025-55170")
def openfga_cve_2026_33729_decisions_under_one_key(stage):
    """OpenFGA CVE-2026-33729 and CVE-2026-34972 (and CVE-2025-55213, CVE-2026-24851, CVE-2025-55170): a decision was kept under a
    key of joined words, so that one question was answered with what another had been."""
    rule = {"apiGroups": ["pipelines.kubeflow.org"], "resources": ["experiments"], "verbs": ["get"],
            "resourceNames": ["left/right", "a,b"]}
    objects = bound("few", {"kind": "User", "name": "ann"}, {"kind": "Role", "name": "few"}, [rule])
    groups = bound("ops", {"kind": "Group", "name": "ops"}, {"kind": "ClusterRole", "name": "kubeflow-view"})
    file = stage.server.profiles / "keys.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects + groups}))
    ids = {name: stage.ok("jane", "POST", f"{V2}/experiments", {"display_name": name, "namespace": JANES})["experiment_id"]
           for name in ("left/right", "left", "right", "a,b", "a", "b", "left/right/", "*")}
    ann, member = stage.server.secret("ann"), stage.server.secret("somebody", "--group", "ops")
    path = f"{V2}/runs/{stage.ours['run']}"
    until(lambda: stage.caller("", member).call("GET", path).status == 200, "the group may look")
    # The same words, put together otherwise.
    others = [
        ("somebody",), ("somebody ops",), ("somebody,ops",), ("ops",), ("somebody", "op", "s"), ("somebody", "ops "),
        ("somebody", "x,ops"), ("somebody", "Ops"), ("somebody/ops",), ("group:ops",), ("somebody", '["ops"]'), ("Ann",), ("ann ",)]
    impostors = [stage.server.secret(user, *[word for name in groups for word in ("--group", name)]) for user, *groups in others]
    for _ in range(5):
        for token in impostors:
            assert stage.caller("", member).call("GET", path).status == 200
            assert stage.caller("", token).call("GET", path).status == 404
            assert stage.caller("", token).call("GET", f"{V2}/experiments/{ids['left/right']}").status == 404
        for name, id_ in ids.items():
            answer = stage.caller("", ann).call("GET", f"{V2}/experiments/{id_}")
            assert answer.status == (200 if name in ("left/right", "a,b") else 404), (name, answer)
            asked = {"verb": "get", "resource": "experiments", "namespace": JANES, "name": name}
            said = stage.caller("", ann).ok("GET", f"{OWN}/can-i", query=asked)
            assert said.get("allowed", False) == (name in ("left/right", "a,b")), (name, said)
    file.unlink()
    until(lambda: stage.caller("", member).call("GET", path).status == 404, "what was decided is forgotten", 5)
    assert stage.caller("", ann).call("GET", f"{V2}/experiments/{ids['left/right']}").status == 404


@regression("GHSA-j53r-x5f5-j4hr", "api9.13")
def ghsa_j53r_x5f5_j4hr_metadata_without_tenants(stage):
    """GHSA-j53r-x5f5-j4hr (KFP 2.18.1), and the metadata service of 2.17: artifacts, executions and contexts of all tenants were
    listed and written by every user, and by every pod."""
    def asked(who: str, method: str) -> bytes:
        metadata = [("authorization", f"Bearer {stage.tokens[who]}")] if who in stage.tokens else []
        call = stage.channel.unary_unary(f"/ml_metadata.MetadataStoreService/{method}", bytes, bytes)
        return call(b"", metadata=metadata, timeout=30)

    def refused(who: str, method: str, code: grpc.StatusCode) -> None:
        try:
            raise AssertionError(f"{who}: {method} was answered: {asked(who, method)}")
        except grpc.RpcError as error:
            assert error.code() == code, (who, method, error)

    for method in ("GetArtifacts", "GetExecutions", "GetContexts", "GetArtifactsByID", "PutArtifacts", "PutContexts"):
        for who in UNKNOWN:
            refused(who, method, grpc.StatusCode.UNAUTHENTICATED)
    for method in ("PutArtifacts", "PutExecutions", "PutContexts", "PutArtifactType"):
        for who in ("viewer", "stranger"):
            refused(who, method, grpc.StatusCode.PERMISSION_DENIED)
    # What each has, and what nobody else gets to know of.
    for who, others in (("jane", stage.theirs), ("john", stage.ours)):
        own = stage.theirs if who == "john" else stage.ours
        contexts, executions = asked(who, "GetContexts"), asked(who, "GetExecutions")
        assert own["run"].encode() in contexts and own["run"].encode() in executions, (who, contexts, executions)
        for word in others.values():
            assert word.encode() not in contexts + executions + asked(who, "GetArtifacts"), f"{who} got to know of {word}"
    for method in ("GetArtifacts", "GetExecutions", "GetContexts"):
        assert asked("stranger", method) == b"", method


@regression("api9.15")
def api9_15_metrics_that_name_tenants(stage):
    """KFP 2.17: /metrics was on the API's port, without a login, and had namespaces and names of workflows for labels; healthz
    told the version."""
    stage.refused({"nobody": (401, 404), "john": 404}, "GET", "/metrics")
    admin = stage.caller("nobody")
    admin.address = urllib.parse.urlsplit(stage.server.admin).netloc
    text = admin.call("GET", "/metrics").text()
    assert "bulkhead_access_decisions_total" in text
    for word in (*stage.ours.values(), *stage.theirs.values(), "jane", "john", "theirs", "viewer", "hello", "example.com",
                 "kubeflow-"):
        assert word not in text, f"the metrics name {word}"
    for path in (f"{V1}/healthz", f"{V2}/healthz"):
        told = stage.ok("nobody", "GET", path)
        assert told["commit_sha"] == told["tag_name"] == "unknown", told
    stage.rpc_refused({"nobody": "OK"}, f"{API2}.HealthzService", "GetHealthz")
