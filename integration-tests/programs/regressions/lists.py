"""Lists without a place, page tokens, names, and what an error tells."""
import base64
import json

from regressions.case import regression, until
from regressions.stage import API1, API2, JANES, JOHNS, UNKNOWN, V1, V2

LISTS = [
    f"{V2}/experiments", f"{V2}/runs", f"{V2}/recurringruns", f"{V2}/pipelines", f"{V1}/experiments", f"{V1}/runs",
    f"{V1}/jobs", f"{V1}/pipelines"
]
SQL = ("name) UNION SELECT value FROM secrets --", "name'; DROP TABLE runs; --", "(SELECT hash FROM tokens LIMIT 1)",
       "name\" OR 1=1 --", "rowid", "namespace) OR (1", "name COLLATE x", "metric:x') UNION SELECT 1 --", "metric:\"",
       "tags.x') OR 1=1 --")


def everywhere(path: str, namespace: str) -> dict:
    if V2 in path:
        return {"namespace": namespace}
    return {"resource_reference_key.type": "NAMESPACE", "resource_reference_key.id": namespace}


@regression("KFP #13127")
def kfp_13127_sql_in_page_tokens(stage):
    """KFP #13127: a page token was unsigned JSON, and the name of the field in it went into the SQL as it was."""
    for field in SQL:
        as_upstream = {"SortByFieldName": field, "SortByFieldValue": "x", "KeyFieldName": field, "KeyFieldValue": "x",
                       "IsDesc": False, "ModelName": "runs"}
        as_here = {"list": f"experiments {JOHNS}", "sort": {"field": field, "descending": False}, "predicates": [],
                   "after": {"edge": "", "id": ""}}
        for content in (as_upstream, as_here):
            text = json.dumps(content).encode()
            for token in (base64.b64encode(text), base64.urlsafe_b64encode(b"\x01" + text + b"x" * 32).rstrip(b"=")):
                for path in LISTS:
                    stage.refused({"john": 400, "nobody": 401}, "GET", path,
                                  query=everywhere(path, JOHNS) | {"page_token": token.decode()})
        for path in LISTS:
            found = stage.call("john", "GET", path, query=everywhere(path, JOHNS) | {"sort_by": field})
            by_metric = field.startswith("metric:") and "/runs" in path
            assert found.status == 400 or by_metric and found.status == 200, (path, field, found)
            predicate = json.dumps({"predicates": [{"operation": "EQUALS", "key": field, "string_value": "x"}]})
            found = stage.call("john", "GET", path, query=everywhere(path, JOHNS) | {"filter": predicate})
            none = field.startswith("tags.") and found.status == 200 and not found.json().get("total_size")
            assert found.status == 400 or none, (path, field, found)
            value = json.dumps({"predicates": [{"operation": "EQUALS", "key": "name", "string_value": field}]})
            found = stage.call("john", "GET", path, query=everywhere(path, JOHNS) | {"filter": value})
            assert found.status == 200 and not found.json().get("total_size"), (path, field, found)


@regression("api9.19")
def api9_19_page_tokens_unsigned(stage):
    """KFP 2.17: a client could write its own page token, with other filters, columns and prefixes than its list had."""
    for number in range(3):
        for who, namespace in (("jane", JANES), ("john", JOHNS)):
            stage.ok(who, "POST", f"{V2}/experiments", {"display_name": f"page-{number}", "namespace": namespace})
    for path in (f"{V2}/experiments", f"{V1}/experiments"):
        ours, theirs = (stage.ok(who, "GET", path, query=everywhere(path, namespace) | {"page_size": 1})["next_page_token"]
                        for who, namespace in (("jane", JANES), ("john", JOHNS)))
        stage.refused({"john": 200}, "GET", path, query=everywhere(path, JOHNS) | {"page_token": theirs})
        stage.refused({"john": 400}, "GET", path, query=everywhere(path, JOHNS) | {"page_token": ours})
        stage.refused({"john": 403, "nobody": 401}, "GET", path, query=everywhere(path, JANES) | {"page_token": ours})
        stage.refused({"john": 403}, "GET", path, query=everywhere(path, JANES) | {"page_token": theirs})
        stage.refused({"john": 400}, "GET", f"{V2}/runs", query={"namespace": JOHNS, "page_token": theirs})
        raw = bytearray(base64.urlsafe_b64decode(theirs + "=" * (-len(theirs) % 4)))
        edited = [
            raw.replace(JOHNS.encode(), JANES.encode()),
            raw.replace(b"created_at", b"created_by"), raw[:-1], raw + b"x", raw[:-32], raw[::-1], b""
        ]
        edited += [raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1:] for place in range(0, len(raw), 7)]
        for content in edited[:-1] + [edited[-1]]:
            token = base64.urlsafe_b64encode(bytes(content)).rstrip(b"=").decode()
            if token:
                stage.refused({"john": 400}, "GET", path, query=everywhere(path, JOHNS) | {"page_token": token})


@regression("Nuclio CVE-2026-45730", "api9.5", "api9.6")
def nuclio_cve_2026_45730_nothing_asked_for_is_everything(stage):
    """Nuclio CVE-2026-45730, and KFP 2.17's pipeline_store.go and pipeline_store_kubernetes.go: an empty namespace left the
    check and the predicate out, so that a list, or a search by name, went over all tenants."""
    for path in LISTS:
        for query in (
                {}, everywhere(path, ""), everywhere(path, "-"), everywhere(path, "*"), everywhere(path, "%"),
                {"experiment_id": ""}, {"page_size": 200}):
            answer = stage.call("john", "GET", path, query=query)
            if answer.status == 200:
                assert "/pipelines" in path, (path, query, answer)
                names = [each["name"] for each in answer.json()["pipelines"]]
                assert "theirs" not in names and "shared" in names, (path, query, names)
            else:
                assert answer.status in (400, 403), (path, query, answer)
            stage.refused({who: 401 for who in UNKNOWN}, "GET", path, query=query)
    for query in ({}, {"namespace": ""}, {"namespace": "-"}):
        stage.refused({"john": 404, "jane": 404, "nobody": 401}, "GET", f"{V2}/pipelines/names/theirs", query=query)
        stage.refused({"john": 200, "nobody": 401}, "GET", f"{V2}/pipelines/names/shared", query=query)
    stage.refused({"john": 403}, "GET", f"{V2}/pipelines/names/theirs", query={"namespace": JANES})
    stage.refused({"john": 404, "nobody": 401}, "GET", f"{V1}/namespaces/-/pipelines/theirs")
    stage.rpc_refused({"john": "NOT_FOUND", "nobody": "UNAUTHENTICATED"}, f"{API2}.PipelineService", "GetPipelineByName",
                      {"name": "theirs"})
    stage.rpc_refused({"john": "NOT_FOUND", "nobody": "UNAUTHENTICATED"}, f"{API1}.PipelineService", "GetPipelineByNameV1",
                      {"name": "theirs"})
    stage.rpc_refused({"john": "INVALID_ARGUMENT", "nobody": "UNAUTHENTICATED"}, f"{API2}.RunService", "ListRuns")


@regression("api9.8")
def api9_8_shared_pipelines_without_login(stage):
    """KFP 2.17: shared pipelines, their versions and their templates were read without a login, and with MULTIUSER_SHARED_READ
    everything was."""
    of = f"{V2}/pipelines/{stage.shared}"
    for path in (of, f"{of}/versions", f"{V1}/pipelines/{stage.shared}", f"{V1}/pipelines/{stage.shared}/templates",
                 f"{V2}/pipelines", f"{V1}/pipelines"):
        stage.refused({who: 401 for who in UNKNOWN} | {"stranger": 200}, "GET", path)
    stage.rpc_refused({"nobody": "UNAUTHENTICATED", "stranger": "OK"}, f"{API2}.PipelineService", "GetPipeline",
                      {"pipeline_id": stage.shared})


@regression("api9.9")
def api9_9_groups_left_out_of_the_question(stage):
    """KFP 2.17: only the user's name was asked about, never their groups, so that rights which a group had, or had no longer,
    were judged wrongly."""
    member = stage.server.secret("member@example.com", "--group", "ml")
    alone = stage.server.secret("member@example.com")
    file = stage.server.profiles / "group.yaml"
    file.write_text(json.dumps({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "ml", "namespace": JANES},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "kubeflow-view"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "ml"}]}))
    path = f"{V2}/runs/{stage.ours['run']}"
    until(lambda: stage.caller("", member).call("GET", path).status == 200, "the group may look")
    assert stage.caller("", alone).call("GET", path).status == 404
    assert stage.caller("", member).call("DELETE", path).status == 403
    file.unlink()
    until(lambda: stage.caller("", member).call("GET", path).status == 404, "the group may look no longer", 5)


@regression("api9.10")
def api9_10_found_before_it_was_refused(stage):
    """KFP 2.17: an object was loaded before the right to it was asked, so that 403 told what 404 would not have; and texts of
    errors had users, attributes, SQL and traces in them."""
    routes = [("GET", f"{V2}/{kind}s/{{}}") for kind in ("experiment", "pipeline", "run", "recurringrun")]
    routes += [("DELETE", path) for _, path in routes]
    routes += [("GET", f"{V1}/{kind}s/{{}}") for kind in ("experiment", "pipeline", "run", "job")]
    routes += [("POST", f"{V2}/runs/{{}}:{verb}") for verb in ("archive", "unarchive", "terminate", "retry")]
    routes += [("POST", f"{V2}/experiments/{{}}:archive"), ("POST", f"{V2}/recurringruns/{{}}:enable"),
               ("POST", f"{V1}/runs/{{}}:reportMetrics")]
    kinds = {"experiment": "experiment", "pipeline": "pipeline", "recurringrun": "recurring", "job": "recurring", "run": "run"}
    for method, path in routes:
        id_ = stage.ours[next(kind for word, kind in kinds.items() if f"/{word}s/" in path)]
        body = {"metrics": [{"name": "UPPER CASE", "node_id": "x", "number_value": 1}]} if "Metrics" in path else None
        for who in ("john", "stranger"):
            foreign, absent = (stage.call(who, method, path.format(each), body) for each in (id_, stage.absent))
            hidden = [{name: value for name, value in each.headers.items() if name not in ("date", "x-request-id")}
                      for each in (foreign, absent)]
            assert foreign.status == 404 and hidden[0] == hidden[1], (method, path, foreign, absent)
            assert foreign.text().replace(id_, stage.absent) == absent.text(), (method, path, foreign, absent)
