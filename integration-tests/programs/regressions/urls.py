"""Pipelines by URL: what the server fetches for others."""
import uuid

from regressions.case import regression
from regressions.stage import API1, API2, JANES, JOHNS, V1, V2, Listener

STATUSES = {"OK": 200, "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403,
            "NOT_FOUND": 404, "ALREADY_EXISTS": 409, "UNAVAILABLE": 503}
SECRET = "keep-this-signature-to-yourself"


def requests(stage, who: str, namespace: str, pipeline: str, url: str):
    """Every way to have a URL fetched, with its answer's status and text."""
    package, place = {"pipeline_url": url}, [{"key": {"type": "NAMESPACE", "id": namespace}, "relationship": "OWNER"}]
    of = [{"key": {"type": "PIPELINE", "id": pipeline}, "relationship": "OWNER"}]

    def both():
        return {"pipeline": {"name": uuid.uuid4().hex, "namespace": namespace}, "pipeline_version": {"package_url": package}}

    def version():
        return {"display_name": uuid.uuid4().hex, "pipeline_id": pipeline, "package_url": package}

    def old():
        return {"name": uuid.uuid4().hex, "url": package, "resource_references": place}

    for path, body in ((f"{V2}/pipelines/create", both()), (f"{V2}/pipelines/{pipeline}/versions", version()),
                       (f"{V1}/pipelines", old()), (f"{V1}/pipeline_versions", {
                           "name": uuid.uuid4().hex, "package_url": package, "resource_references": of
                       })):
        answer = stage.call(who, "POST", path, body)
        yield path, answer.status, answer.text()
    for service, method, message in (
            (f"{API2}.PipelineService", "CreatePipelineAndVersion", both()),
            (f"{API2}.PipelineService", "CreatePipelineVersion", {"pipeline_id": pipeline, "pipeline_version": version()}),
            (f"{API1}.PipelineService", "CreatePipelineV1", {"pipeline": old()})):
        code, said = stage.rpc(who, service, method, message)
        yield method, STATUSES[code], str(said)


@regression("huntr 2026-06")
def huntr_2026_06_blind_ssrf_by_pipeline_url(stage):
    """huntr, June 2026: the URL of a pipeline was fetched by Go's default client, from wherever the server could reach, and
    wherever it was sent on from there."""
    outside, inside = f"127.0.0.1:{stage.port(0)}", f"127.0.0.2:{stage.port(1)}"
    port = stage.port(1)
    Listener.redirects.update({
        "/to-inside": f"http://{inside}/secret", "/to-name": f"http://localhost:{port}/secret",
        "/to-file": "file:///etc/passwd", "/to-metadata": "http://169.254.169.254/latest/meta-data/",
        "/round": f"http://{outside}/round", "/to-six": f"http://[::ffff:127.0.0.2]:{port}/secret"
    })
    urls = [
        f"http://{inside}/secret", f"http://localhost:{port}/secret", f"http://2130706434:{port}/secret",
        f"http://0x7f000002:{port}/secret", f"http://127.2:{port}/secret", f"http://0177.0.0.2:{port}/secret",
        f"http://[::1]:{port}/secret", f"http://[::ffff:7f00:2]:{port}/secret", f"http://{outside}@{inside}/secret",
        f"http://{inside}#@{outside}/", f"http://0.0.0.0:{port}/secret", "http://169.254.169.254/latest/meta-data/",
        "http://metadata.google.internal/computeMetadata/v1/", "file:///etc/passwd", "gopher://127.0.0.1:1/x",
        "ftp://127.0.0.1/x", "data:,x", f"http://{outside}\r\nHost: x/", f"//{inside}/secret", "",
        *[f"http://{outside}{path}" for path in Listener.redirects]
    ]
    for what, status, said in requests(stage, "john", JOHNS, stage.theirs["pipeline"], f"http://{outside}/package.yaml"):
        assert status == 200, f"{what} does not fetch what it may: {said}"
    before = len(Listener.heard)
    for url in urls:
        for what, status, said in requests(stage, "john", JOHNS, stage.theirs["pipeline"], url):
            assert status in (400, 503), (what, url, status, said)
            assert "root:" not in said and "Connection refused" not in said, (what, url, said)
    heard = Listener.heard[before:]
    assert not [each for each in heard if each.startswith("127.0.0.2")], heard
    # Nothing is fetched for who may not have it, before that is known.
    before = len(Listener.heard)
    for who, status in (("nobody", (401,)), ("wrong", (401,)), ("john", (403, 404)), ("viewer", (403,)), ("stranger", (403, 404))):
        for what, heard_, said in requests(stage, who, JANES, stage.ours["pipeline"], f"http://{outside}/package.yaml"):
            assert heard_ in status, (who, what, heard_, said)
    assert Listener.heard[before:] == [], Listener.heard[before:]


@regression("GO-2025-4024")
def go_2025_4024_credentials_in_the_log(stage):
    """GO-2025-4024 (Argo Workflows): the credentials of an artifact's store stood in the controller's log."""
    outside = f"127.0.0.1:{stage.port(0)}"
    urls = {f"http://{outside}/package.yaml?X-Amz-Signature={SECRET}": 200, f"http://{outside}/package.yaml?x#{SECRET}": 200,
            f"http://jane:{SECRET}@{outside}/package.yaml": 400, f"http://127.0.0.2/package.yaml?token={SECRET}": 400}
    for url, expected in urls.items():
        for what, status, said in requests(stage, "john", JOHNS, stage.theirs["pipeline"], url):
            assert status == expected and SECRET not in said, (what, url, status, said)
    for path in (f"{V2}/pipelines/{stage.theirs['pipeline']}/versions", f"{V2}/pipelines?namespace={JOHNS}&page_size=200"):
        assert SECRET not in stage.call("john", "GET", path).text()
    stage.call("john", "GET", f"{V2}/experiments", query={"namespace": JOHNS, "page_token": SECRET, "filter": SECRET})
    stage.call("nobody", "GET", f"{V2}/experiments", headers={"Authorization": f"Bearer {SECRET}"})
    for where, text in (("log", stage.logged()), ("audit trail", stage.trail.read_text())):
        assert SECRET not in text, f"the server's {where} has a secret: {[line for line in text.splitlines() if SECRET in line][:3]}"
