//! Recurring runs, reports, and what callers may ask of themselves.
use crate::world::{World, caller};
use api::{
    access::{
        resource::{Runs, Workflows},
        verb::{Create, Get, Report},
    },
    v2::{
        AuthorizeRequest, CreateRunRequest, EnableRecurringRunRequest, GetRecurringRunRequest, ReportWorkflowRequest,
        Run,
        auth_service_rpc::Authorize,
        authorize_request::Verb,
        recurring_run_service_rpc::{EnableRecurringRun, GetRecurringRun},
        report_service_rpc::ReportWorkflow,
        run_service_rpc::CreateRun,
    },
};

#[test]
fn a_recurring_run_is_where_its_id_says() {
    let world = World::new();
    let get = |id: &str| GetRecurringRunRequest { recurring_run_id: id.into() };
    for (user, id, expect) in [
        ("ed", "j-team", "get jobs in team: j-team"),
        ("nick", "j-team", "get jobs in team: j-team"),
        ("jane", "j-team", "NotFound: RecurringRun j-team not found"),
        ("ed", "absent", "NotFound: RecurringRun absent not found"),
        ("ed", "", "InvalidArgument: the request does not name a recurring run"),
    ] {
        world.check::<GetRecurringRun, _, _>(user, &get(id), expect);
    }
    let enable = EnableRecurringRunRequest { recurring_run_id: "j-team".into() };
    world.check::<EnableRecurringRun, _, _>("nick", &enable, "enable jobs in team: j-team");
    world.check::<EnableRecurringRun, _, _>("vi", &enable, "NotFound: RecurringRun j-team not found");
}

#[test]
fn what_is_granted_if_it_is_held_refuses_nobody() {
    let world = World::new();
    let run = Run { experiment_id: "e-team".into(), ..Default::default() };
    let request = CreateRunRequest { run: Some(run), ..Default::default() };
    for (user, held, sees) in [("root", true, true), ("ed", false, true), ("blind", false, false)] {
        let scope = world.admit::<CreateRun>(Some(&caller(user)), &request).unwrap();
        let _: access::Grant<Create, Runs> = scope.grant();
        let report: Option<access::Grant<Report, Workflows>> = scope.grant_opt();
        let runs: Option<access::Grant<Get, Runs>> = scope.grant_opt();
        assert_eq!((report.is_some(), runs.is_some()), (held, sees), "{user}");
        let audited = world.audit.take();
        assert!(audited.iter().all(|line| line.ends_with("=> true")), "what is only tried is no decision: {audited:?}");
        assert_eq!(audited.iter().any(|line| line.contains("report workflows")), held);
    }
}

#[test]
fn a_run_must_be_able_to_see_its_recurring_run() {
    let world = World::new();
    for (id, expect) in [("j-team", None), ("j-jane", Some("RecurringRun j-jane not found"))] {
        let run = Run { experiment_id: "e-team".into(), recurring_run_id: id.into(), ..Default::default() };
        let request = CreateRunRequest { run: Some(run), ..Default::default() };
        let refusal = world.admit::<CreateRun>(Some(&caller("ed")), &request).err();
        assert_eq!(refusal.map(|error| error.message().to_owned()).as_deref(), expect);
    }
}

#[test]
fn reports_take_a_right_over_the_whole_cluster() {
    let world = World::new();
    let denied = "PermissionDenied: ed may not report workflows.pipelines.kubeflow.org in the whole cluster";
    for (user, expect) in [("root", "report workflows in cluster: all"), ("ed", denied)] {
        world.check::<ReportWorkflow, _, _>(user, &ReportWorkflowRequest::default(), expect);
    }
}

#[test]
fn callers_may_ask_what_they_may() {
    let world = World::new();
    for (user, verb, expect) in [
        ("nick", Verb::Get, None),
        ("nick", Verb::Delete, Some("nick may not delete viewers.kubeflow.org in namespace team")),
        ("ed", Verb::Get, Some("ed may not get viewers.kubeflow.org in namespace team")),
        ("root", Verb::Create, None),
        ("root", Verb::UnassignedVerb, Some("the request does not name a verb")),
    ] {
        let request = AuthorizeRequest { namespace: "team".into(), verb: verb.into(), ..Default::default() };
        let refusal = world.admit::<Authorize>(Some(&caller(user)), &request).err();
        assert_eq!(refusal.map(|error| error.message().to_owned()).as_deref(), expect, "{user} {verb:?}");
    }
}
