"""What is not about objects by their ids: names, files, access, tokens, reports, and requests that are wrong."""
from interference.moves import by_id, creating, listing
from interference.request import Request

V1, V2, OWN = "/apis/v1beta1", "/apis/v2beta1", "/apis/bulkhead/v1"
NODES = ["hello", "fail", "sleep", "other", ".."]


def by_name(tenant) -> Request:
    if tenant.chance(0.5):
        where = tenant.where()
        return Request("GET", f"{V2}/pipelines/names/{tenant.word()}", query={"namespace": where} if where else {})
    return Request("GET", f"{V1}/namespaces/{(tenant.where() or '-').replace(' ', '%20')}/pipelines/{tenant.word()}")


def node(tenant) -> tuple:
    """A run and one of its nodes, by name or by the id of a task."""
    if tenant.marks.get("task") and tenant.chance(0.4):
        task = tenant.some("task")
        return tenant.parents.get(task) or tenant.some("run"), task
    return tenant.some("run"), tenant.rng.choice(NODES)


def log(tenant) -> Request:
    run, task = node(tenant)
    version = tenant.rng.choice(["v1alpha1", "v1beta1"])
    return Request("GET", f"/apis/{version}/runs/{run}/nodes/{task}/log")


def watch(tenant) -> Request:
    """A cursor that was never given: what is told of a run that proceeds depends on the moment."""
    how = tenant.rng.choice(["watch", "followLogs"])
    return Request("GET", f"{OWN}/runs/{tenant.some('run')}:{how}", query={"cursor": "?"})


def artifact(tenant) -> Request:
    run, task = node(tenant)
    name = tenant.rng.choice(["greeting", "greeting", "main-logs", "..%2f..%2fbulkhead.db"])
    return Request("GET", f"{tenant.rng.choice((V1, V2))}/runs/{run}/nodes/{task}/artifacts/{name}:read")


def tasks(tenant) -> Request:
    """A run as it is, of which the ids of its tasks are kept."""
    run = tenant.live("run")
    return Request("GET", f"{V2}/runs/{run}", parent=run, saves=(("task", "run_details.task_details.0.task_id"),))


def access(tenant) -> Request:
    rng = tenant.rng
    return rng.choice([
        lambda: Request("GET", f"{OWN}/whoami"),
        lambda: Request("GET", f"{OWN}/namespaces"),
        lambda: Request("GET", f"{OWN}/quota", query={"namespace": tenant.where()}),
        lambda: Request("GET", f"{OWN}/can-i", query={
            "verb": rng.choice(["get", "create", "delete", "sink"]), "resource": rng.choice(["runs", "pipelines", "jobs", "ships"]),
            "namespace": rng.choice([tenant.where(), "*"]), "name": rng.choice(["", tenant.word()])}),
        lambda: Request("GET", f"{rng.choice((V1, V2))}/auth", query={
            "namespace": tenant.where(), "resources": "VIEWERS", "verb": rng.choice(["GET", "CREATE", "DELETE", "SINK"])}),
        lambda: Request("GET", f"{rng.choice((V1, V2))}/filters", query={"filter": '{"predicates": []}'}),
        lambda: Request("GET", f"{rng.choice((V1, V2))}/healthz"),
        lambda: Request("GET", f"{rng.choice((V1, V2))}/swagger.json"),
    ])()


def tokens(tenant) -> Request:
    luck = tenant.rng.random()
    if luck < 0.35:
        return Request("GET", f"{OWN}/tokens")
    if luck < 0.55:
        return Request("DELETE", f"{OWN}/tokens/{tenant.some('token_id')}")
    body = {"description": tenant.word()}
    if tenant.chance(0.6):
        body["scope"] = {"verbs": tenant.rng.choice([[], ["get"], ["get", "list"], ["sink"]]),
                         "namespaces": tenant.rng.choice([[], [tenant.namespace], [tenant.stranger]])}
    if tenant.chance(0.2):
        body["expires_at"] = tenant.rng.choice(["2001-01-01T00:00:00Z", "2100-01-01T00:00:00Z"])
    return Request("POST", f"{OWN}/tokens", body=body, saves=(("token_id", "token.token_id"), ("secret", "secret")))


def with_another_token(tenant) -> Request:
    """A read with a token that the tenant made, which may reach less far, or be revoked."""
    request = tenant.rng.choice([listing.list_, by_name, access, tasks])(tenant)
    request.saves, request.listed = (), None
    request.credentials = tenant.rng.choice(tenant.marks.get("secret", ["own"]))
    return request


def report(tenant) -> Request:
    path = f"{tenant.rng.choice((V1, V2))}/{tenant.rng.choice(['workflows', 'scheduledworkflows'])}"
    return Request(
        "POST", path,
        body='"{\\"metadata\\": {\\"name\\": \\"x\\", \\"namespace\\": \\"%s\\", \\"uid\\": \\"x\\"}}"' % tenant.namespace)


def visualization(tenant) -> Request:
    return Request("POST", f"{tenant.rng.choice((V1, V2))}/visualizations/{(tenant.where() or '-').replace(' ', '%20')}",
                   body={"type": "TABLE", "source": "gs://bucket/file.csv"})


def unknown(tenant) -> Request:
    """Without credentials, with wrong ones, or with a header that only a proxy may send."""
    request = tenant.rng.choice([listing.list_, by_name, log])(tenant)
    request.saves, request.listed = (), None
    if tenant.chance(0.3):
        request.headers["kubeflow-userid"] = tenant.rng.choice(["jane@example.com", "john@example.com"])
    else:
        request.credentials = tenant.rng.choice(["nobody", "wrong"])
    return request


def wrong(tenant) -> Request:
    return tenant.rng.choice([
        lambda: Request("GET", f"{V2}/ships"), lambda: Request("PUT", f"{V2}/experiments", body={}),
        lambda: Request("POST", f"{V2}/experiments", body="{display_name"), lambda: Request("POST", f"{V2}/runs", body="[]"),
        lambda: Request("POST", f"{V2}/experiments", body={"display_nme": tenant.word(), "namespace": tenant.namespace}),
        lambda: Request("POST", f"{V2}/experiments", body={"display_name": "x" * 129, "namespace": tenant.namespace}),
        lambda: Request("GET", f"{V2}/runs", query={"page_size": "many"}),
    ])()


def curious(tenant) -> Request:
    """Whatever names ids, with the other tenant's."""
    move = tenant.rng.choice([
        by_id.read, by_id.read, by_id.change, by_id.delete, listing.list_, log, watch, artifact, tokens, creating.run, creating.run_v1,
        creating.recurring, creating.job, creating.upload_version, creating.version
    ])
    tenant.curious = True
    request = move(tenant)
    tenant.curious = False
    return request


MOVES = [(curious, 18), (by_name, 5), (log, 4), (watch, 3), (artifact, 4), (tasks, 4), (access, 7), (tokens, 5), (with_another_token, 3),
         (report, 2), (visualization, 1), (unknown, 3), (wrong, 3)]
