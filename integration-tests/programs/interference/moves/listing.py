"""Lists, with every order and filter that there is, and their pages, walked to the end."""
import json

from interference.request import Request

V1, V2, OWN = "/apis/v1beta1", "/apis/v2beta1", "/apis/bulkhead/v1"
NAME, BY = ("name", "created_at", "created_by", "description"), "created_by"
# The path, the kind of place that it takes besides a namespace, and what it can be sorted by.
LISTS = [
    (f"{V2}/experiments", "", ("name", "display_name", "created_at", "last_run_created_at", "storage_state", "id")),
    (f"{V1}/experiments", "", ("name", "created_at", "id")),
    (f"{V2}/pipelines", "", ("name", "display_name", "created_at", "id")),
    (f"{V1}/pipelines", "", ("name", "created_at")),
    (f"{V2}/runs", "experiment", ("name", "created_at", "state", "storage_state", "finished_at", "scheduled_at", "metric:alpha")),
    (f"{V1}/runs", "experiment", ("name", "created_at", "status", "metric:beta")),
    (f"{V2}/recurringruns", "experiment", ("display_name", "created_at", "updated_at")),
    (f"{V1}/jobs", "experiment", ("name", "created_at")),
    (f"{OWN}/schedules", "", ("created_at",)),
    (f"{OWN}/schedules/‹recurring›/ticks", "recurring", ("created_at",)),
    ("/apis/v1alpha1/tasks", "run", ("created_at", "id")),
    (f"{V2}/tasks", "of a run", ("created_at", "name", "status")),
    # What a task puts out comes about at one moment, and the order of that is by chance: only names tell it apart.
    (f"{V2}/artifacts", "of one run", ("name",)),
    (f"{V2}/artifact_tasks", "links", ("artifact_key",)),
    (f"{V2}/pipelines/‹of›/versions", "pipeline", ("name", "created_at")),
    (f"{V1}/pipeline_versions", "pipeline", ("name", "created_at")),
]


def place(tenant, path: str, kind: str) -> tuple:
    """The path and the query that say where to look."""
    if "‹of›" in path:
        return path.replace("‹of›", tenant.some("pipeline")), {}
    if kind == "recurring":
        return path.replace("‹recurring›", tenant.some(kind)), {}
    if path.endswith("/pipeline_versions"):
        return path, {"resource_key.type": "PIPELINE", "resource_key.id": tenant.some("pipeline")}
    if kind == "of a run":
        return path, {"run_id": tenant.some("run")} if tenant.chance(0.7) else {"parent_id": tenant.some("task")}
    if kind == "of one run":
        of_it = {"operation": "EQUALS", "key": "run_id", "string_value": tenant.some("run")}
        return path, {"namespace": tenant.where(), "filter": json.dumps({"predicates": [of_it]}), "sort_by": "name"}
    if kind == "links":
        others = {f"{which}_ids": tenant.some(which) for which in ("run", "artifact") if tenant.chance(0.5)}
        return path, {"task_ids": tenant.some("task"), **others, "sort_by": "artifact_key"}
    if kind == "run" and tenant.chance(0.6):
        return path, {"run_id": tenant.some("run")}
    if kind == "experiment" and tenant.chance(0.4):
        id_ = tenant.some("experiment")
        if V1 in path:
            return path, {"resource_reference_key.type": "EXPERIMENT", "resource_reference_key.id": id_}
        return path, {"experiment_id": id_}
    where = tenant.where()
    if V1 in path or "v1alpha1" in path:
        return path, {"resource_reference_key.type": "NAMESPACE", "resource_reference_key.id": where} if where else {}
    return path, {"namespace": where} if where else {}


def predicate(tenant) -> dict:
    rng, kind = tenant.rng, tenant.rng.choice(["run", "experiment"])
    return rng.choice([
        lambda: {"operation": "IS_SUBSTRING", "key": "name", "string_value": rng.choice(["a", "ta", "e", "zz", "%25"])},
        lambda: {"operation": "EQUALS", "key": "name", "string_value": tenant.word()},
        lambda: {"op": "NOT_EQUALS", "key": "name", "stringValue": tenant.word()},
        lambda: {"operation": "IN", "key": "name", "string_values": {"values": [tenant.word(), tenant.word()]}},
        lambda: {"operation": "GREATER_THAN", "key": "name", "string_value": tenant.word()},
        lambda: {"operation": "EQUALS", "key": "created_by", "string_value": f"{rng.choice(['jane', 'john'])}@example.com"},
        lambda: {"operation": "NOT_EQUALS", "key": "storage_state", "string_value": "ARCHIVED"},
        lambda: {"operation": "EQUALS", "key": "state", "string_value": rng.choice(["SUCCEEDED", "FAILED", "RUNNING"])},
        lambda: {"operation": "EQUALS", "key": "type", "string_value": rng.choice(["Artifact", "OUTPUT", "RUNTIME"])},
        lambda: {"operation": "EQUALS", "key": "namespace", "string_value": rng.choice([tenant.namespace, tenant.stranger])},
        lambda: {"operation": "EQUALS", "key": "tags.team", "string_value": rng.choice(["blue", tenant.word()])},
        lambda: {"operation": "GREATER_THAN", "key": "created_at", "timestamp_value": f"{rng.choice([2001, 2100])}-01-01T00:00:00Z"},
        lambda: {"operation": "EQUALS", "key": f"{kind}_id", "string_value": tenant.some(kind)},
        lambda: {"operation": "EQUALS", "key": "colour", "string_value": "red"},
    ])()


def list_(tenant) -> Request:
    path, kind, fields = tenant.rng.choice(LISTS)
    path, query = place(tenant, path, kind)
    if tenant.chance(0.8):
        query["page_size"] = str(tenant.rng.choice([1, 1, 2, 2, 3, 5, 20, 200, 0, -1]))
    is_in_order = "sort_by" in query
    if not is_in_order and tenant.chance(0.5):
        query["sort_by"] = tenant.rng.choice(fields) + tenant.rng.choice(["", " asc", " desc"])
    if not is_in_order and tenant.chance(0.35):
        query["filter"] = json.dumps({"predicates": [predicate(tenant) for _ in range(tenant.rng.choice([1, 1, 2]))]},
                                     ensure_ascii=False)
    return page(Request("GET", path, query=query))


def page(request: Request) -> Request:
    request.saves, request.listed = (("page token", "next_page_token"),), request
    if request.path == f"{V2}/artifacts":
        request.saves += (("artifact", "artifacts.0.artifact_id"),)
    return request


def walk(tenant) -> Request:
    """The next page of a list that has one, mostly of the latest; at times with a token of another list."""
    if not tenant.lists:
        return list_(tenant)
    before, token = tenant.lists[-1] if tenant.chance(0.7) else tenant.rng.choice(tenant.lists)
    if tenant.chance(0.1):
        before = tenant.rng.choice(tenant.lists)[0]
    query = {**before.query, "page_token": token}
    if tenant.chance(0.4):
        query.pop("sort_by", None)
        query.pop("filter", None)
    if tenant.chance(0.2):
        query["page_size"] = str(tenant.rng.choice([1, 3, 20]))
    if tenant.chance(0.04):
        query["page_token"] = tenant.rng.choice(["bm90IGEgdG9rZW4", "", "x"])
    request = page(Request("GET", before.path, query=query))
    request.listed = before
    return request


def walk_theirs(tenant) -> Request:
    """A page of an own list with a token that the other tenant got, if they have any."""
    request, theirs = tenant.rng.choice([list_, walk])(tenant), tenant.others().get("page token")
    if theirs:
        token = tenant.rng.choice(theirs)
        request = page(Request("GET", request.path, query={**request.query, "page_token": token}))
        tenant.foreign.append(token)
    return request


MOVES = [(list_, 20), (walk, 16)]
