"""What a request refers to: pipelines, experiments, recurring runs, service accounts, ids of its own choice."""
import specs
from regressions.case import regression
from regressions.stage import API1, API2, JANES, JOHNS, UNKNOWN, V1, V2

CRON = {"trigger": {"cron_schedule": {"cron": "0 0 0 1 1 *"}}, "max_concurrency": "1"}


def reference(type_: str, id_: str, relationship: str = "OWNER") -> dict:
    return {"key": {"type": type_, "id": id_}, "relationship": relationship}


def creations(experiment: str, pipeline: str, version: str) -> list:
    """Every request that runs something, now or later, and refers to these: path, body, and the same over gRPC."""
    both = {"pipeline_id": pipeline, "pipeline_version_id": version}
    in_experiment = [reference("EXPERIMENT", experiment)]
    found = []
    for of in (both, {"pipeline_id": pipeline}):
        run = {"display_name": "stolen", "experiment_id": experiment, "pipeline_version_reference": of}
        found.append((f"{V2}/runs", run, f"{API2}.RunService", "CreateRun", {"run": run}))
        found.append((f"{V2}/recurringruns", run | CRON, f"{API2}.RecurringRunService", "CreateRecurringRun", {
            "recurring_run": run | CRON
        }))
    for references, spec in ((in_experiment + [reference("PIPELINE_VERSION", version, "CREATOR")], {}), (in_experiment, {
            "pipeline_id": pipeline
    })):
        old = {"name": "stolen", "resource_references": references, "pipeline_spec": spec}
        found.append((f"{V1}/runs", old, f"{API1}.RunService", "CreateRunV1", {"run": old}))
        found.append((f"{V1}/jobs", old | CRON, f"{API1}.JobService", "CreateJob", {"job": old | CRON}))
    return found


@regression("GHSA-v83x-544f-ph2r", "api9.4")
def ghsa_v83x_544f_ph2r_foreign_references(stage):
    """GHSA-v83x-544f-ph2r (KFP #14348): a run or a schedule could name another tenant's pipeline, version or experiment,
    and so run and read a private definition by its id."""
    absent = stage.absent
    for kind in ("experiment", "pipeline", "version"):
        made = []
        for foreign in (stage.ours[kind], absent):
            ids = {each: stage.theirs[each] for each in ("experiment", "pipeline", "version")} | {kind: foreign}
            if kind == "version":
                # Of its own pipeline, too, so that the two fit together.
                ids["pipeline"] = stage.ours["pipeline"] if foreign != absent else ids["pipeline"]
            made.append(creations(**ids))
        for (path, body, service, method, message), (_, blank, _, _, nothing) in zip(*made):
            if stage.ours[kind] not in str(body):
                continue  # one that names the pipeline alone has no version
            foreign, nowhere = stage.call("john", "POST", path, body), stage.call("john", "POST", path, blank)
            assert foreign.status == 404, (path, body, foreign)
            if kind != "version":
                assert foreign.text().replace(stage.ours[kind], absent) == nowhere.text(), (foreign, nowhere)
            said, of_nothing = stage.rpc("john", service, method, message), stage.rpc("john", service, method, nothing)
            assert said[0] == "NOT_FOUND" == of_nothing[0], (service, method, said, of_nothing)
            stage.refused({who: 401 for who in UNKNOWN}, "POST", path, body)
    for path in (f"{V2}/runs", f"{V2}/recurringruns"):
        found = stage.ok("john", "GET", path, query={"namespace": JOHNS, "page_size": 200})
        assert "stolen" not in str(found), found
    # With what is their own the same requests are fine.
    for path, body, service, method, message in creations(*(stage.theirs[kind] for kind in ("experiment", "pipeline", "version"))):
        stage.refused({"john": 200}, "POST", path, body)
        stage.rpc_refused({"john": "OK"}, service, method, message)


@regression("api9.4")
def api9_4_recurring_run_of_another_tenant(stage):
    """KFP 2.17, resource_manager.go: a run that named another tenant's recurring run by id was answered with that
    tenant's run, or attached to its schedule."""
    for id_ in (stage.ours["recurring"], stage.absent):
        own = {"display_name": "theirs", "experiment_id": stage.theirs["experiment"], "pipeline_spec": specs.HELLO}
        body = own | {"recurring_run_id": id_}
        stage.refused({"john": 404, "nobody": 401}, "POST", f"{V2}/runs", body)
        place = [reference("EXPERIMENT", stage.theirs["experiment"]), reference("JOB", id_, "CREATOR")]
        old = {"name": "theirs", "resource_references": place, "pipeline_spec": {"pipeline_id": stage.theirs["pipeline"]}}
        stage.refused({"john": 404, "nobody": 401}, "POST", f"{V1}/runs", old)
        stage.rpc_refused({"john": "NOT_FOUND"}, f"{API2}.RunService", "CreateRun", {"run": body})
    stage.refused({"john": 200}, "POST", f"{V2}/runs", body | {"recurring_run_id": stage.theirs["recurring"]})


@regression("api9.4")
def api9_4_run_id_of_the_clients_choice(stage):
    """KFP 2.17, resource_manager.go: a client chose the id of its run, and by a collision learned of another tenant's, or
    claimed one beforehand."""
    taken, before = stage.ours["run"], stage.ok("jane", "GET", f"{V2}/runs/{stage.ours['run']}")
    for chosen in (taken, stage.absent):
        body = {"run_id": chosen, "display_name": "mine", "experiment_id": stage.theirs["experiment"], "pipeline_spec": specs.HELLO}
        made = stage.ok("john", "POST", f"{V2}/runs", body)["run_id"]
        assert made not in (taken, stage.absent), made
        said, answer = stage.rpc("john", f"{API2}.RunService", "CreateRun", {"run": body})
        assert said == "OK" and answer.run_id not in (taken, stage.absent), (said, answer)
        stage.refused({"john": 404}, "GET", f"{V2}/runs/{chosen}")
    assert stage.ok("jane", "GET", f"{V2}/runs/{taken}") == before


@regression("cube-studio CVE-2026-111672")
def cube_studio_cve_2026_111672_pipeline_id_idor(stage):
    """cube-studio CVE-2026-111672: whoever knew the id of a pipeline read and changed it, whosever it was."""
    ours, theirs = stage.ours, stage.theirs
    for who in ("john", "stranger"):
        for method, path in (
            ("GET", f"{V2}/pipelines/{ours['pipeline']}"),
            ("GET", f"{V1}/pipelines/{ours['pipeline']}"),
            ("GET", f"{V1}/pipelines/{ours['pipeline']}/templates"),
            ("GET", f"{V1}/pipeline_versions/{ours['version']}"),
            ("GET", f"{V1}/pipeline_versions/{ours['version']}/templates"),
            ("GET", f"{V2}/pipelines/{ours['pipeline']}/versions"),
            ("GET", f"{V2}/pipelines/{ours['pipeline']}/versions/{ours['version']}"),
                # The version of one by the way of the other.
            ("GET", f"{V2}/pipelines/{theirs['pipeline']}/versions/{ours['version']}"),
            ("DELETE", f"{V2}/pipelines/{theirs['pipeline']}/versions/{ours['version']}"),
            ("GET", f"{V2}/pipelines/{stage.shared}/versions/{ours['version']}"),
            ("DELETE", f"{V1}/pipeline_versions/{ours['version']}"),
            ("POST", f"{V1}/pipelines/{ours['pipeline']}/default_version/{ours['version']}")):
            foreign = stage.call(who, method, path)
            absent = stage.call(who, method, path.replace(ours["pipeline"], stage.absent).replace(ours["version"], stage.absent))
            said = foreign.text().replace(ours["pipeline"], stage.absent).replace(ours["version"], stage.absent)
            assert foreign.status == 404 and said == absent.text(), (who, method, path, foreign, absent)
    stage.refused({"viewer": 200}, "GET", f"{V2}/pipelines/{ours['pipeline']}")


@regression("api9.11")
def api9_11_service_account_unchecked(stage):
    """KFP 2.17, resource_manager.go: the service account of a run was taken as it came, so that a tenant acted with the
    rights of any account of the namespace."""
    body = {"display_name": "x", "experiment_id": stage.ours["experiment"], "pipeline_spec": specs.HELLO}
    for account in ("pipeline-runner", "cluster-admin", "default-editor ", "../default-editor",
                    "system:serviceaccount:kubeflow:ml-pipeline"):
        for path, sent in ((f"{V2}/runs", body), (f"{V2}/recurringruns", body | CRON)):
            stage.refused({"jane": (400, 403), "viewer": (400, 403), "john": 404, "nobody": 401}, "POST", path,
                          sent | {"service_account": account})
        old = {"name": "x", "resource_references": [reference("EXPERIMENT", stage.ours["experiment"])], "service_account": account,
               "pipeline_spec": {"pipeline_id": stage.ours["pipeline"]}}
        stage.refused({"jane": (400, 403), "john": 404}, "POST", f"{V1}/runs", old)
        stage.refused({"jane": (400, 403), "john": 404}, "POST", f"{V1}/jobs", old | CRON)
    for path, sent in ((f"{V2}/runs", body), (f"{V2}/recurringruns", body | CRON)):
        stage.refused({"jane": 200}, "POST", path, sent | {"service_account": "default-editor"})


@regression("api9.20")
def api9_20_orphans_of_a_deleted_experiment(stage):
    """KFP 2.17: to delete an experiment left its runs and schedules behind, and who might touch them was then decided by
    whatever the row said, or not at all."""
    experiment = stage.ok("jane", "POST", f"{V2}/experiments", {"display_name": "orphans", "namespace": JANES})["experiment_id"]
    run = stage.run("jane", experiment, {"pipeline_spec": specs.HELLO})
    body = {"display_name": "orphan", "experiment_id": experiment, "pipeline_spec": specs.HELLO, **CRON}
    recurring = stage.ok("jane", "POST", f"{V2}/recurringruns", body)["recurring_run_id"]
    stage.caller("jane").ended(run)
    stage.ok("jane", "DELETE", f"{V2}/experiments/{experiment}")
    for path in (f"{V2}/runs/{run}", f"{V1}/runs/{run}", f"{V2}/recurringruns/{recurring}", f"{V1}/jobs/{recurring}",
                 f"{V1}/runs/{run}/nodes/hello/log"):
        stage.refused({"jane": 200, "viewer": 200, "john": 404, "stranger": 404, "nobody": 401}, "GET", path)
    stage.refused({"john": 404, "viewer": 403}, "POST", f"{V2}/recurringruns/{recurring}:enable")
    stage.refused({"john": 404, "jane": 404}, "GET", f"{V2}/runs", query={"experiment_id": experiment})
    stage.refused({"john": 404, "viewer": 403, "jane": 200}, "DELETE", f"{V2}/runs/{run}")
    stage.refused({"john": 404, "viewer": 403, "jane": 200}, "DELETE", f"{V2}/recurringruns/{recurring}")
