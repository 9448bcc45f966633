"""Everything that names an object by its id, in the order of a table."""
from interference.request import Request

V1, V2, OWN = "/apis/v1beta1", "/apis/v2beta1", "/apis/bulkhead/v1"
# The names of kinds stand where their ids go.
READING = [("GET", f"{V2}/experiments/{{experiment}}"), ("GET", f"{V1}/experiments/{{experiment}}"),
           ("GET", f"{V2}/pipelines/{{pipeline}}"), ("GET", f"{V1}/pipelines/{{pipeline}}"),
           ("GET", f"{V1}/pipelines/{{pipeline}}/templates"), ("GET", f"{V2}/pipelines/{{pipeline}}/versions/{{version}}"),
           ("GET", f"{V1}/pipeline_versions/{{version}}"), ("GET", f"{V1}/pipeline_versions/{{version}}/templates"),
           ("GET", f"{V2}/runs/{{run}}"), ("GET", f"{V1}/runs/{{run}}"), ("GET", f"{V2}/recurringruns/{{recurring}}"),
           ("GET", f"{V1}/jobs/{{recurring}}"), ("GET", f"{OWN}/schedules/{{recurring}}"),
           ("GET", f"{OWN}/schedules/{{recurring}}/ticks"), ("GET", f"{V2}/tasks/{{task}}"),
           ("GET", f"{V2}/artifacts/{{artifact}}")]
CHANGING = [
    ("POST", f"{V2}/experiments/{{experiment}}:archive"), ("POST", f"{V1}/experiments/{{experiment}}:archive"),
    ("POST", f"{V2}/experiments/{{experiment}}:unarchive"), ("POST", f"{V1}/experiments/{{experiment}}:unarchive"),
    ("PATCH", f"{V2}/pipelines/{{pipeline}}"), ("PATCH", f"{V2}/pipelines/{{pipeline}}/versions/{{version}}"),
    ("POST", f"{V1}/pipelines/{{pipeline}}/default_version/{{version}}"),
    ("POST", f"{V2}/runs/{{run}}:archive"), ("POST", f"{V1}/runs/{{run}}:archive"),
    ("POST", f"{V2}/runs/{{run}}:unarchive"), ("POST", f"{V1}/runs/{{run}}:unarchive"),
    ("POST", f"{V2}/runs/{{run}}:terminate"), ("POST", f"{V1}/runs/{{run}}/terminate"),
    ("POST", f"{V2}/runs/{{run}}:retry"), ("POST", f"{V1}/runs/{{run}}/retry"), ("POST", f"{V1}/runs/{{run}}:reportMetrics"),
    ("POST", f"{V2}/recurringruns/{{recurring}}:enable"), ("POST", f"{V1}/jobs/{{recurring}}/enable"),
    ("POST", f"{V2}/recurringruns/{{recurring}}:disable"), ("POST", f"{V1}/jobs/{{recurring}}/disable"),
    ("POST", "/apis/v1alpha1/tasks"), ("POST", f"{V2}/tasks"), ("PATCH", f"{V2}/tasks/{{task}}"),
    ("POST", f"{V2}/artifacts"), ("POST", f"{V2}/artifact_tasks"),
]
DELETING = [
    ("DELETE", f"{V2}/experiments/{{experiment}}"), ("DELETE", f"{V1}/experiments/{{experiment}}"),
    ("DELETE", f"{V2}/pipelines/{{pipeline}}"), ("DELETE", f"{V1}/pipelines/{{pipeline}}"),
    ("DELETE", f"{V2}/pipelines/{{pipeline}}/versions/{{version}}"), ("DELETE", f"{V1}/pipeline_versions/{{version}}"),
    ("DELETE", f"{V2}/runs/{{run}}"), ("DELETE", f"{V1}/runs/{{run}}"),
    ("DELETE", f"{V2}/recurringruns/{{recurring}}"), ("DELETE", f"{V1}/jobs/{{recurring}}"),
]
# Of a run that was fired, the name has a part of an id in it.
FIRE = ("POST", f"{OWN}/schedules/{{recurring}}:fire")
SETTLING = (":terminate", "/terminate", ":retry", "/retry")


def filled(tenant, route: tuple) -> tuple:
    """The path with ids, and the last of them, which is what the request is about."""
    path, id_ = route[1], ""
    if "{pipeline}" in path and "{version}" in path:
        version = tenant.some("version")
        of = tenant.parents.get(version) if tenant.chance(0.9) else ""
        path, id_ = path.replace("{pipeline}", of or tenant.some("pipeline")).replace("{version}", version), version
    for kind in ("experiment", "pipeline", "version", "run", "task", "artifact", "recurring"):
        if "{" + kind + "}" in path:
            id_ = tenant.some(kind)
            path = path.replace("{" + kind + "}", id_)
    return path, id_


def body(tenant, route: tuple):
    method, path = route
    if path == f"{V2}/tasks":
        return {"run_id": tenant.some("run"), "name": tenant.word(), "type": "RUNTIME"}
    if path == f"{V2}/artifacts":
        artifact = {"name": tenant.word(), "type": "Model", "uri": tenant.rng.choice(["s3://bucket/model", "/etc/passwd"])}
        return {"run_id": tenant.some("run"), "task_id": tenant.some("task"), "artifact": artifact}
    if path == f"{V2}/artifact_tasks":
        return {"artifact_task": {"run_id": tenant.some("run"), "task_id": tenant.some("task"),
                                  "artifact_id": tenant.some("artifact"), "artifact_key": tenant.word()}}
    if path.startswith(f"{V2}/tasks/"):
        return {"status": "FAILED", "display_name": tenant.word()}
    if path.endswith("/tasks"):
        return {"runId": tenant.some("run"), "pipelineName": "pipeline/hello", "mlmdExecutionID": "7",
                "fingerprint": tenant.word(), "created_at": "2020-01-02T03:04:05Z"}
    if path.endswith(":reportMetrics"):
        metric = {"name": tenant.word(), "node_id": "hello", "number_value": tenant.rng.randrange(9), "format": "RAW"}
        return {"metrics": [metric]}
    if method == "PATCH":
        return {"display_name": tenant.word(), "tags": {"team": tenant.word()}} if tenant.chance(0.8) else {"tags": {}}
    return None


def read(tenant) -> Request:
    return Request("GET", filled(tenant, tenant.rng.choice(READING))[0])


def change(tenant) -> Request:
    route = tenant.rng.choice(CHANGING)
    path, id_ = filled(tenant, route)
    return Request(route[0], path, body=body(tenant, route), settles=id_ if path.endswith(SETTLING) else "")


def fire(tenant) -> Request:
    path, _ = filled(tenant, FIRE)
    return Request(FIRE[0], path, saves=(("run", "run_id"),), settles="run")


def fire_nothing(tenant) -> Request:
    """For who is compared: names differ between two worlds, so that nothing may come of it."""
    tenant.curious = True
    path, id_ = filled(tenant, FIRE)
    tenant.curious = False
    return Request(FIRE[0], path if id_ not in tenant.marks.get("recurring", []) else path.replace(id_, tenant.absent()))


def delete(tenant) -> Request:
    route = tenant.rng.choice(DELETING)
    path, id_ = filled(tenant, route)
    query = {}
    if path.startswith(f"{V2}/pipelines") and "versions" not in path and tenant.chance(0.6):
        query["cascade"] = "true"
    if "recurringruns" in path and tenant.chance(0.3):
        query["propagation_policy"] = tenant.rng.choice(["FOREGROUND", "ORPHAN", "SINK"])
    return Request(route[0], path, query=query, gone=(id_,))


MOVES = [(read, 18), (change, 14), (delete, 4), (fire_nothing, 2)]
