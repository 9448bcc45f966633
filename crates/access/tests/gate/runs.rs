//! Runs: where they go, what they refer to, and the service account that they use.
use crate::world::World;
use api::v2::{
    CreateRunRequest, ListRunsRequest, PipelineVersionReference, Run, run::PipelineSource, run_service_rpc::*,
};

fn create(experiment: &str, source: Option<PipelineSource>) -> CreateRunRequest {
    let run = Run { experiment_id: experiment.into(), pipeline_source: source, ..Default::default() };
    CreateRunRequest { run: Some(run), ..Default::default() }
}

fn version(pipeline: &str, version: &str) -> Option<PipelineSource> {
    Some(PipelineSource::PipelineVersionReference(PipelineVersionReference {
        pipeline_id: pipeline.into(),
        pipeline_version_id: version.into(),
    }))
}

/// The field that clients of 2.0 filled.
#[expect(deprecated, reason = "they still do")]
fn old_version(version: &str) -> Option<PipelineSource> {
    Some(PipelineSource::PipelineVersionId(version.into()))
}

#[test]
fn a_run_goes_where_its_experiment_is() {
    let world = World::new();
    let denied = "PermissionDenied: vi may not create runs.pipelines.kubeflow.org in namespace team";
    for (user, experiment, expect) in [
        ("ed", "e-team", "create runs in team: all"),
        ("jane", "e-jane", "create runs in jane: all"),
        ("vi", "e-team", denied),
        ("jane", "e-team", "NotFound: Experiment e-team not found"),
        ("jane", "absent", "NotFound: Experiment absent not found"),
        ("ed", "", "InvalidArgument: the request does not name an experiment"),
        ("blind", "e-team", "create runs in team: all"),
    ] {
        world.check::<CreateRun, _, _>(user, &create(experiment, None), expect);
    }
    world.check::<CreateRun, _, _>(
        "ed",
        &CreateRunRequest::default(),
        "InvalidArgument: the request does not name an experiment",
    );
}

#[test]
fn what_a_run_refers_to_must_be_readable() {
    let world = World::new();
    for (user, source, expect) in [
        ("ed", None, "nothing"),
        ("ed", version("", ""), "nothing"),
        ("ed", version("", "v-team"), "get pipelines in team: v-team"),
        ("ed", version("p-team", ""), "get pipelines in team: p-team"),
        ("ed", version("p-team", "v-team"), "get pipelines in team: p-team v-team"),
        ("ed", old_version("v-team"), "get pipelines in team: v-team"),
        ("ed", version("p-shared", "v-shared"), "get pipelines in shared: p-shared v-shared"),
        ("ed", version("", "v-jane"), "NotFound: PipelineVersion v-jane not found"),
        ("ed", old_version("v-jane"), "NotFound: PipelineVersion v-jane not found"),
        ("ed", version("p-jane", ""), "NotFound: Pipeline p-jane not found"),
        ("ed", version("p-jane", "v-jane"), "NotFound: PipelineVersion v-jane not found"),
        ("ed", version("p-jane", "v-team"), "NotFound: Pipeline p-jane not found"),
        ("ed", version("", "absent"), "NotFound: PipelineVersion absent not found"),
        ("ed", version("absent", ""), "NotFound: Pipeline absent not found"),
        // Who may read both still has to say which namespace is meant.
        ("both", version("p-jane", ""), "get pipelines in jane: p-jane"),
        ("both", version("p-jane", "v-team"), "InvalidArgument: the request names objects of two namespaces"),
        ("both", version("p-shared", "v-team"), "InvalidArgument: the request names objects of two namespaces"),
        // Creating runs is no right to read pipelines.
        ("blind", version("", "v-team"), "NotFound: PipelineVersion v-team not found"),
    ] {
        world.check_source::<CreateRun>(user, &create("e-team", source), expect);
    }
}

#[test]
fn a_service_account_other_than_the_default_takes_the_right_to_use_it() {
    let world = World::new();
    let with = |experiment: &str, account: &str| {
        let mut req = create(experiment, None);
        req.run.as_mut().unwrap().service_account = account.into();
        req
    };
    let made = "create runs in team: all";
    let denied = |user: &str| format!("PermissionDenied: {user} may not use serviceaccounts in namespace team");
    for (user, account, expect) in [
        ("ed", "", made),
        ("ed", "runner", made),
        ("ed", "trainer", &*denied("ed")),
        ("ed", "default", &denied("ed")),
        ("ed", "runner ", &denied("ed")),
        ("ursula", "trainer", made),
        ("ursula", "admin", &denied("ursula")),
        ("root", "admin", made),
        // Who may not see the experiment is not told what is missing there.
        ("blind", "trainer", "NotFound: Experiment e-team not found"),
        ("vi", "trainer", "PermissionDenied: vi may not create runs.pipelines.kubeflow.org in namespace team"),
    ] {
        world.check::<CreateRun, _, _>(user, &with("e-team", account), expect);
    }
    let foreign = "NotFound: Experiment e-jane not found";
    world.check::<CreateRun, _, _>("ursula", &with("e-jane", "trainer"), foreign);
    let unnamed = "InvalidArgument: the request does not name an experiment";
    world.check::<CreateRun, _, _>("ursula", &with("", "trainer"), unnamed);
}

#[test]
fn lists_are_of_a_namespace_or_an_experiment() {
    let world = World::new();
    let list = |namespace: &str, experiment: &str| ListRunsRequest {
        namespace: namespace.into(),
        experiment_id: experiment.into(),
        ..Default::default()
    };
    let bad_name = "InvalidArgument: namespace \"Team\" is not a valid name: at most 63 lower-case letters, digits and \
                    '-', with a letter or digit at both ends";
    for (user, namespace, experiment, expect) in [
        ("vi", "team", "", "list runs in team: all"),
        ("vi", "", "e-team", "list runs in team: all"),
        ("vi", "-", "e-team", "list runs in team: all"),
        ("vi", "team", "e-team", "list runs in team: all"),
        ("both", "jane", "e-team", "InvalidArgument: the request names objects of two namespaces"),
        ("vi", "team", "e-jane", "NotFound: Experiment e-jane not found"),
        ("vi", "", "e-jane", "NotFound: Experiment e-jane not found"),
        ("vi", "jane", "", "PermissionDenied: vi may not list runs.pipelines.kubeflow.org in namespace jane"),
        // A namespace that is not there sounds the same.
        ("vi", "absent", "", "PermissionDenied: vi may not list runs.pipelines.kubeflow.org in namespace absent"),
        ("vi", "jane", "e-team", "PermissionDenied: vi may not list runs.pipelines.kubeflow.org in namespace jane"),
        ("vi", "", "", "InvalidArgument: the request does not name a namespace"),
        ("vi", "-", "", "InvalidArgument: the request does not name a namespace"),
        ("root", "Team", "", bad_name),
    ] {
        world.check::<ListRuns, _, _>(user, &list(namespace, experiment), expect);
    }
    for name in ["*", "..", "team/jane", "team ", "a\0", "ä", &"x".repeat(64)] {
        let error = world.admit::<ListRuns>(Some(&crate::world::caller("root")), &list(name, "")).err().unwrap();
        assert_eq!(error.code(), domain::Code::InvalidArgument, "{name:?}");
    }
}
