"""What browsers make of answers."""
from regressions.case import regression
from regressions.stage import JANES, V1, V2

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>[x](javascript:alert(1))"


def is_no_page(answer) -> None:
    kind = answer.headers.get("content-type", "")
    assert kind.startswith(("application/json", "text/plain")), (kind, answer)
    # A browser would take plain text for a page if it looks like one, unless it is told not to.
    assert kind.startswith("application/json") or answer.headers.get("x-content-type-options") == "nosniff", answer


@regression("CVE-2024-9526", "CVE-2026-23960")
def cve_2024_9526_markup_that_is_kept(stage):
    """CVE-2024-9526 (KFP #10315) and CVE-2026-23960 (Argo Workflows): markup in a description came back as part of a page and
    ran in the browser of whoever looked."""
    made = stage.ok("jane", "POST", f"{V2}/experiments", {"display_name": f"x{MARKUP}", "description": MARKUP, "namespace": JANES})
    assert made["description"] == MARKUP
    for path in (f"{V2}/experiments/{made['experiment_id']}", f"{V1}/experiments/{made['experiment_id']}",
                 f"{V2}/experiments?namespace={JANES}"):
        for headers in ({}, {"Accept": "text/html"}, {"Accept": "text/html;q=1, application/json;q=0"}):
            is_no_page(stage.call("viewer", "GET", path, headers=headers))
    run = stage.ok(
        "jane", "POST", f"{V2}/runs", {
            "display_name": "x", "experiment_id": stage.ours["experiment"], "pipeline_version_reference": {
                "pipeline_id": stage.ours["pipeline"]
            }, "runtime_config": {"parameters": {"word": MARKUP}}
        })["run_id"]
    stage.caller("jane").ended(run)
    for path in (f"{V1}/runs/{run}/nodes/hello/log", f"{V2}/runs/{run}/nodes/hello/artifacts/greeting:read"):
        is_no_page(stage.call("viewer", "GET", path, headers={"Accept": "text/html"}))


@regression("CVE-2023-6571")
def cve_2023_6571_markup_that_is_reflected(stage):
    """CVE-2023-6571 (Kubeflow's dashboard): what stood in a URL came back in a page, and ran."""
    for path in (f"/{MARKUP}", f"{V2}/runs/{MARKUP}", f"{V2}/experiments?namespace={MARKUP}",
                 f"{V2}/experiments?namespace={JANES}&sort_by={MARKUP}", f"{V2}/pipelines/names/{MARKUP}",
                 f"{V1}/auth?verb={MARKUP}", f"{V1}/runs/{stage.ours['run']}/nodes/{MARKUP}/log"):
        for who in ("nobody", "jane"):
            answer = stage.call(who, "GET",
                                path.replace(" ", "%20").replace("<", "%3C").replace(">", "%3E"),
                                headers={"Accept": "text/html"})
            assert answer.status >= 400, (path, answer)
            is_no_page(answer)
