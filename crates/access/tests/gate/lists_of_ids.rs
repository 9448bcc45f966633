//! Tasks and artifacts, which are known by their runs, and requests that name many ids.
use crate::world::{World, caller, refusal};
use api::{
    access::{MAX_IDS, resource::Runs, verb::Get},
    v2::{
        GetArtifactRequest, GetTaskRequest, ListArtifactTasksRequest, ListTasksRequest, UpdateTaskRequest,
        artifact_service_rpc::{GetArtifact, ListArtifactTasks},
        list_tasks_request::ParentFilter,
        run_service_rpc::{GetTask, ListTasks, UpdateTask},
    },
};

#[test]
fn tasks_and_artifacts_are_where_their_runs_are() {
    let world = World::new();
    for (user, id, expect) in [
        ("ed", "t-team", "get runs in team: t-team"),
        // Who may get one run by its name may get its tasks.
        ("nick", "t-team", "get runs in team: t-team"),
        ("jane", "t-team", "NotFound: Task t-team not found"),
        ("ed", "t-jane", "NotFound: Task t-jane not found"),
        ("ed", "absent", "NotFound: Task absent not found"),
        // The id of a run is none of a task.
        ("ed", "r-team", "NotFound: Task r-team not found"),
        ("ed", "", "InvalidArgument: the request does not name a task"),
    ] {
        world.check::<GetTask, _, _>(user, &GetTaskRequest { task_id: id.into() }, expect);
    }
    for (user, id, expect) in [
        ("vi", "a-team", "get runs in team: a-team"),
        ("nick", "a-team", "get runs in team: a-team"),
        ("nick", "a-other", "NotFound: Artifact a-other not found"),
        ("jane", "a-team", "NotFound: Artifact a-team not found"),
        ("ed", "", "InvalidArgument: the request does not name an artifact"),
    ] {
        world.check::<GetArtifact, _, _>(user, &GetArtifactRequest { artifact_id: id.into() }, expect);
    }
    let update = UpdateTaskRequest { task_id: "t-team".into(), task: None };
    world.check::<UpdateTask, _, _>("ed", &update, "reportMetrics runs in team: t-team");
    let denied = "PermissionDenied: vi may not reportMetrics runs.pipelines.kubeflow.org in namespace team";
    world.check::<UpdateTask, _, _>("vi", &update, denied);
}

#[test]
fn a_list_of_tasks_is_of_a_run_or_a_task() {
    let world = World::new();
    for (filter, expect) in [
        (Some(ParentFilter::RunId("r-team".into())), "get runs in team: r-team"),
        (Some(ParentFilter::ParentId("t-team".into())), "get runs in team: t-team"),
        (Some(ParentFilter::ParentId("t-jane".into())), "NotFound: Task t-jane not found"),
        (None, "InvalidArgument: the request does not name a task"),
    ] {
        let request = ListTasksRequest { parent_filter: filter, ..Default::default() };
        world.check::<ListTasks, _, _>("ed", &request, expect);
    }
}

#[test]
fn each_of_many_ids_is_checked() {
    let world = World::new();
    let request = |tasks: &[&str], runs: &[&str], artifacts: &[&str]| {
        let texts = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
        ListArtifactTasksRequest {
            task_ids: texts(tasks),
            run_ids: texts(runs),
            artifact_ids: texts(artifacts),
            ..Default::default()
        }
    };
    for (user, request, expect) in [
        ("ed", request(&["t-team"], &[], &[]), "get runs in team: t-team"),
        (
            "ed",
            request(&["t-team"], &["r-team", "r-account"], &["a-team"]),
            "get runs in team: r-team r-account t-team a-team",
        ),
        ("ed", request(&[], &["r-team", "r-jane"], &[]), "NotFound: Run r-jane not found"),
        ("ed", request(&[], &["r-team", "absent"], &[]), "NotFound: Run absent not found"),
        ("nick", request(&[], &["r-team"], &["a-other"]), "NotFound: Artifact a-other not found"),
        (
            "both",
            request(&[], &["r-team", "r-jane"], &[]),
            "InvalidArgument: the request names objects of two namespaces",
        ),
        ("ed", request(&[], &[], &[]), "InvalidArgument: the request does not name a task"),
        ("ed", request(&[""], &[""], &[]), "InvalidArgument: the request does not name a task"),
    ] {
        world.check::<ListArtifactTasks, Get, Runs>(user, &request, expect);
    }
    let most = request(&[], &["r-team"; MAX_IDS], &[]);
    assert!(world.admit::<ListArtifactTasks>(Some(&caller("ed")), &most).is_ok());
    let more = request(&[], &["r-team"; MAX_IDS + 1], &[]);
    let many = world.admit::<ListArtifactTasks>(Some(&caller("ed")), &more).map(drop).map_err(refusal);
    let text = "InvalidArgument: the request has a list of more than 100 ids: ask for some of them at a time";
    assert_eq!(many, Err(text.to_owned()));
    // Who is not logged in does not hear even that.
    let nobody = world.admit::<ListArtifactTasks>(None, &more).map(drop).map_err(refusal).unwrap_err();
    assert!(nobody.starts_with("Unauthenticated"), "{nobody}");
}
