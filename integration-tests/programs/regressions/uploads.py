"""Pipelines that come, change or go without a right."""
import specs
from regressions.case import regression
from regressions.stage import API1, API2, JANES, JOHNS, UNKNOWN, V1, V2

UPLOADS = [f"{V1}/pipelines/upload", f"{V2}/pipelines/upload"]
VERSIONS = [f"{path}_version" for path in UPLOADS]
SERVICE = "bulkhead.v1.UploadService"


def shared(stage) -> list:
    """What is offered to everybody, with its versions."""
    found = stage.ok("john", "GET", f"{V2}/pipelines", query={"page_size": 200})["pipelines"]
    return [(each, stage.ok("john", "GET", f"{V2}/pipelines/{each['pipeline_id']}/versions")) for each in found]


def package(**fields) -> dict:
    return {"package": {"filename": "pipeline.yaml", "content": ""}, **fields}


@regression("CVE-2026-77596", "api9.1")
def cve_2026_77596_shared_upload_without_right(stage):
    """CVE-2026-77596 (KFP #14352): an upload, or a version for a shared pipeline, without a namespace was taken from
    whoever reached the port, so that all tenants were offered it."""
    before = shared(stage)
    for path in UPLOADS:
        for query in ({"name": "planted"}, {"name": "planted", "namespace": ""}, {"name": "planted", "namespace": "-"}, {}):
            for who, status in ({who: 401 for who in UNKNOWN} | {"viewer": 403, "stranger": 403}).items():
                answer = stage.upload(who, path, specs.HELLO, query)
                assert answer.status == status, (who, path, query, answer)
        mine = stage.upload("john", path, specs.HELLO, {"name": f"johns-{path[6:8]}"})
        assert mine.status == 200 and JOHNS in mine.text(), mine
    for path in VERSIONS:
        for who, status in ({who: 401 for who in UNKNOWN} | {"viewer": 403, "stranger": 403, "john": 403, "jane": 403}).items():
            answer = stage.upload(who, path, specs.HELLO, {"name": "planted", "pipelineid": stage.shared})
            assert answer.status == status, (who, path, answer)
        assert stage.upload("nobody", path, specs.HELLO, {"name": "planted"}).status in (400, 401)
    for who, code in ({who: "UNAUTHENTICATED"
                       for who in UNKNOWN} | {"viewer": "PERMISSION_DENIED", "stranger": "PERMISSION_DENIED"}).items():
        stage.rpc_refused({who: code}, SERVICE, "UploadPipeline", package(name="planted"))
        stage.rpc_refused({who: code}, SERVICE, "UploadPipelineVersion", package(name="planted", pipeline_id=stage.shared))
    assert shared(stage) == before


@regression("GHSA-ghgh-57qv-h687")
def ghsa_ghgh_57qv_h687_pipelines_changed_without_login(stage):
    """GHSA-ghgh-57qv-h687 (KFP #13288): pipelines, private and shared, were created, updated and deleted by callers whom
    nobody had authenticated."""
    unknown = {who: 401 for who in UNKNOWN}
    spec = {"pipeline_spec": specs.HELLO}
    for pipeline, strangers in ((stage.ours["pipeline"], {"john": 404, "viewer": 403}), (stage.shared, {"john": 403, "jane": 403})):
        who = unknown | strangers
        stage.refused(who, "PATCH", f"{V2}/pipelines/{pipeline}", {"display_name": "stolen"})
        stage.refused(who, "DELETE", f"{V2}/pipelines/{pipeline}", query={"cascade": "true"})
        stage.refused(who, "DELETE", f"{V1}/pipelines/{pipeline}")
        stage.refused(who, "POST", f"{V2}/pipelines/{pipeline}/versions", {"display_name": "x", "pipeline_id": pipeline, **spec})
        codes = {who: "UNAUTHENTICATED" for who in UNKNOWN} | {
            who: {403: "PERMISSION_DENIED", 404: "NOT_FOUND"}[status] for who, status in strangers.items()}
        stage.rpc_refused(codes, f"{API2}.PipelineService", "UpdatePipeline",
                          {"pipeline": {"pipeline_id": pipeline, "display_name": "stolen"}})
        stage.rpc_refused(codes, f"{API2}.PipelineService", "DeletePipeline", {"pipeline_id": pipeline, "cascade": True})
        stage.rpc_refused(codes, f"{API1}.PipelineService", "DeletePipelineV1", {"id": pipeline})
        assert stage.ok("john" if pipeline == stage.shared else "jane", "GET",
                        f"{V2}/pipelines/{pipeline}")["display_name"] != "stolen"
    for namespace in ("", JANES):
        where = {"namespace": namespace} if namespace else {}
        stage.refused(unknown | {"john": 403}, "POST", f"{V2}/pipelines", {"name": "planted", **where})
        stage.refused(unknown | {"john": 403}, "POST", f"{V2}/pipelines/create",
                      {"pipeline": {"name": "planted", **where}, "pipeline_version": spec})
        stage.rpc_refused({"nobody": "UNAUTHENTICATED", "john": "PERMISSION_DENIED"}, f"{API2}.PipelineService", "CreatePipeline",
                          {"pipeline": {"name": "planted", **where}})


@regression("MLflow CVE-2026-2651")
def mlflow_cve_2026_2651_multipart_skips_the_check(stage):
    """MLflow CVE-2026-2651: the endpoints that take multipart forms were not among those that were checked, so that
    anybody wrote into anybody's artifacts."""
    for path in UPLOADS:
        stage_as_john = [{"name": "planted", "namespace": JANES}, {"name": "planted", "namespace": JANES.upper()},
                         {"name": "planted", "namespace": f"{JANES}/"}, ]
        for query in stage_as_john:
            answer = stage.upload("john", path, specs.HELLO, query)
            assert answer.status in (400, 403), (query, answer)
        # The place is said twice, of which one is a right one: what is checked must be what is done.
        for twice in (f"?name=twice&namespace={JOHNS}&namespace={JANES}", f"?name=twice&namespace={JANES}&namespace={JOHNS}"):
            answer = stage.upload("john", path + twice, specs.HELLO)
            assert answer.status in (400, 403, 409) or answer.status == 200 and JOHNS in answer.text(), (twice, answer)
    for path in VERSIONS:
        foreign = stage.upload("john", path, specs.HELLO, {"name": "planted", "pipelineid": stage.ours["pipeline"]})
        absent = stage.upload("john", path, specs.HELLO, {"name": "planted", "pipelineid": stage.absent})
        said = foreign.text().replace(stage.ours["pipeline"], stage.absent)
        assert foreign.status == 404 and said == absent.text(), (foreign, absent)
        twice = f"?name=planted&pipelineid={stage.theirs['pipeline']}&pipelineid={stage.ours['pipeline']}"
        assert stage.upload("john", path + twice, specs.HELLO).status in (400, 404)
    janes = stage.ok("jane", "GET", f"{V2}/pipelines/{stage.ours['pipeline']}/versions")
    assert janes["total_size"] == 1, janes
    names = [
        each.get("name")
        for each in stage.ok("jane", "GET", f"{V2}/pipelines", query={"namespace": JANES, "page_size": 200})["pipelines"]
    ]
    assert not {"planted", "twice"} & set(names), names
