"""Experiments, pipelines, versions, runs and recurring runs, made through either version of the API."""
from interference.moves import uploaded
from interference.request import Request

V1, V2 = "/apis/v1beta1", "/apis/v2beta1"


def reference(type_: str, id_: str, relationship: str = "OWNER") -> dict:
    return {"key": {"type": type_, "id": id_}, "relationship": relationship}


def experiment(tenant) -> Request:
    body = {"display_name": tenant.word(), "namespace": tenant.where()}
    if tenant.chance(0.3):
        body["description"] = "d" * tenant.rng.randrange(300)
    return Request("POST", f"{V2}/experiments", body=body, saves=(("experiment", "experiment_id"),))


def experiment_v1(tenant) -> Request:
    body = {"name": tenant.word(), "resource_references": [reference("NAMESPACE", tenant.where())]}
    return Request("POST", f"{V1}/experiments", body=body, saves=(("experiment", "id"),))


def upload(tenant) -> Request:
    version = tenant.rng.choice((V1, V2))
    query = {"name": tenant.word(), "namespace": tenant.where()}
    if tenant.chance(0.2):
        query["tags"] = '{"team": "blue"}'
    if tenant.chance(0.05):
        del query["namespace"]
    return made_with_version(tenant, Request(
        "POST", f"{version}/pipelines/upload", query=query, upload=uploaded.file(tenant.rng),
        saves=(("pipeline", "pipeline_id" if version == V2 else "id"),)))


def made_with_version(tenant, request: Request) -> Request:
    """Only a list tells the id of a first version."""
    request.then = lambda saved: Request(
        "GET", f"{V2}/pipelines/{saved['pipeline']}/versions", parent=saved["pipeline"],
        saves=(("version", "pipeline_versions.0.pipeline_version_id"),))
    return request


def upload_version(tenant) -> Request:
    version, pipeline = tenant.rng.choice((V1, V2)), tenant.some("pipeline")
    return Request(
        "POST", f"{version}/pipelines/upload_version", query={"name": tenant.word(), "pipelineid": pipeline},
        upload=uploaded.file(tenant.rng), parent=pipeline, saves=(("version", "pipeline_version_id" if version == V2 else "id"),))


def pipeline(tenant) -> Request:
    body = {"name": tenant.word(), "namespace": tenant.where()}
    return Request("POST", f"{V2}/pipelines", body=body, saves=(("pipeline", "pipeline_id"),))


def pipeline_and_version(tenant) -> Request:
    version = {"pipeline_spec": tenant.rng.choice(uploaded.RUNNABLE)}
    if tenant.chance(0.1):
        version = {"package_url": {"pipeline_url": "http://127.0.0.1:9/pipeline.yaml"}}
    body = {"pipeline": {"name": tenant.word(), "namespace": tenant.where()}, "pipeline_version": version}
    return made_with_version(tenant, Request(
        "POST", f"{V2}/pipelines/create", body=body, saves=(("pipeline", "pipeline_id"),)))


def version(tenant) -> Request:
    of = tenant.some("pipeline")
    body = {"display_name": tenant.word(), "pipeline_id": of, "pipeline_spec": tenant.rng.choice(uploaded.RUNNABLE)}
    return Request("POST", f"{V2}/pipelines/{of}/versions", body=body, parent=of, saves=(("version", "pipeline_version_id"),))


def by_url_v1(tenant) -> Request:
    url = {"pipeline_url": tenant.rng.choice(["http://127.0.0.1:9/pipeline.yaml", "https://example.com/pipeline.yaml"])}
    if tenant.chance(0.5):
        body = {"name": tenant.word(), "url": url, "resource_references": [reference("NAMESPACE", tenant.where())]}
        return Request("POST", f"{V1}/pipelines", body=body)
    body = {"name": tenant.word(), "package_url": url, "resource_references": [reference("PIPELINE", tenant.some("pipeline"))]}
    return Request("POST", f"{V1}/pipeline_versions", body=body)


def definition(tenant) -> dict:
    """What a run of version 2 is to execute: a version, the latest of a pipeline, or a spec of its own."""
    luck = tenant.rng.random()
    if luck < 0.45:
        version = tenant.some("version")
        of = tenant.parents.get(version) or tenant.some("pipeline")
        return {"pipeline_version_reference": {"pipeline_id": of, "pipeline_version_id": version}}
    if luck < 0.65:
        return {"pipeline_version_reference": {"pipeline_id": tenant.some("pipeline")}}
    return {"pipeline_spec": tenant.rng.choice(uploaded.RUNNABLE)} if luck < 0.97 else {}


def run(tenant) -> Request:
    body = {"display_name": tenant.word(), "experiment_id": tenant.some("experiment"), **definition(tenant)}
    if tenant.chance(0.3):
        body["runtime_config"] = {"parameters": {tenant.rng.choice(["word", "word", "colour"]): tenant.word()}}
    if tenant.chance(0.1):
        body["recurring_run_id"] = tenant.some("recurring")
    if tenant.chance(0.05):
        body["service_account"] = tenant.rng.choice(["default-editor", "cluster-admin"])
    return Request("POST", f"{V2}/runs", body=body, saves=(("run", "run_id"),), settles="run")


def run_v1(tenant) -> Request:
    references = [reference("EXPERIMENT", tenant.some("experiment"))]
    body = {"name": tenant.word(), "resource_references": references}
    if tenant.chance(0.5):
        references.append(reference("PIPELINE_VERSION", tenant.some("version"), "CREATOR"))
    else:
        body["pipeline_spec"] = {"pipeline_id": tenant.some("pipeline")}
    if tenant.chance(0.1):
        references.append(reference("JOB", tenant.some("recurring"), "CREATOR"))
    return Request("POST", f"{V1}/runs", body=body, saves=(("run", "run.id"),), settles="run")


def recurring(tenant) -> Request:
    # Far away, so that nothing fires meanwhile.
    trigger = tenant.rng.choice([
        {"cron_schedule": {"cron": "0 0 0 1 1 *", "start_time": "2100-01-01T00:00:00Z"}},
        {"periodic_schedule": {"interval_second": "86400", "start_time": "2100-01-01T00:00:00Z"}},
        {"cron_schedule": {"cron": "at teatime"}}])
    body = {"display_name": tenant.word(), "experiment_id": tenant.some("experiment"), "max_concurrency": "1",
            "mode": tenant.rng.choice(["ENABLE", "DISABLE"]), "trigger": trigger, **definition(tenant)}
    return Request("POST", f"{V2}/recurringruns", body=body, saves=(("recurring", "recurring_run_id"),))


def job(tenant) -> Request:
    body = {"name": tenant.word(), "max_concurrency": "1", "enabled": tenant.chance(0.5),
            "trigger": {"cron_schedule": {"cron": "0 0 0 1 1 *", "start_time": "2100-01-01T00:00:00Z"}},
            "resource_references": [reference("EXPERIMENT", tenant.some("experiment"))],
            "pipeline_spec": {"pipeline_id": tenant.some("pipeline")}}
    return Request("POST", f"{V1}/jobs", body=body, saves=(("recurring", "id"),))


MOVES = [(experiment, 5), (experiment_v1, 2), (upload, 5), (upload_version, 3), (pipeline, 2), (pipeline_and_version, 2),
         (version, 2), (by_url_v1, 2), (run, 6), (run_v1, 3), (recurring, 4), (job, 2)]
