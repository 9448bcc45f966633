//! v1beta1, which says where by references.
use crate::world::World;
use api::v1::{
    self, CreateExperimentRequest, CreatePipelineRequest, CreatePipelineVersionRequest, CreateRunRequest,
    ListExperimentsRequest, ListPipelineVersionsRequest, ListPipelinesRequest, ListRunsRequest, PipelineSpec,
    ResourceKey, ResourceReference, ResourceType, experiment_service_rpc::*, pipeline_service_rpc::*,
    run_service_rpc::*,
};

fn key(kind: ResourceType, id: &str) -> ResourceKey {
    ResourceKey { r#type: kind as i32, id: id.into() }
}

fn refs(keys: &[(ResourceType, &str)]) -> Vec<ResourceReference> {
    keys.iter().map(|(kind, id)| ResourceReference { key: Some(key(*kind, id)), ..Default::default() }).collect()
}

use ResourceType::{Experiment, Job, Namespace, Pipeline, PipelineVersion, UnknownResourceType};

#[test]
fn runs_go_to_their_experiment_else_to_their_namespace() {
    let world = World::new();
    let denied = "PermissionDenied: ed may not create runs.pipelines.kubeflow.org in namespace jane";
    let unnamed = "InvalidArgument: the request does not name a namespace";
    for (keys, expect) in [
        (&[(Experiment, "e-team")][..], "create runs in team: all"),
        (&[(Namespace, "team")], "create runs in team: all"),
        // The experiment decides, wherever it stands.
        (&[(Namespace, "jane"), (Experiment, "e-team")], "create runs in team: all"),
        (&[(Namespace, "team"), (Experiment, "e-jane")], "NotFound: Experiment e-jane not found"),
        (&[(Experiment, "e-team"), (Experiment, "e-jane")], "create runs in team: all"),
        (&[(Namespace, "jane")], denied),
        (&[(Experiment, "absent")], "NotFound: Experiment absent not found"),
        (&[(Namespace, "team"), (Experiment, "")], "InvalidArgument: the request does not name an experiment"),
        (&[(Job, "j")], "NotFound: RecurringRun j not found"),
        (&[], unnamed),
    ] {
        let run = v1::Run { resource_references: refs(keys), ..Default::default() };
        world.check::<CreateRunV1, _, _>("ed", &CreateRunRequest { run: Some(run) }, expect);
    }
    world.check::<CreateRunV1, _, _>("ed", &CreateRunRequest { run: None }, unnamed);
    let keyless = v1::Run { resource_references: vec![ResourceReference::default()], ..Default::default() };
    world.check::<CreateRunV1, _, _>("ed", &CreateRunRequest { run: Some(keyless) }, unnamed);
}

#[test]
fn runs_read_the_pipelines_that_they_refer_to() {
    let world = World::new();
    let team = (Experiment, "e-team");
    for (user, keys, spec, expect) in [
        ("ed", &[team][..], "", "nothing"),
        ("ed", &[team, (PipelineVersion, "v-team")], "", "get pipelines in team: v-team"),
        ("ed", &[team, (Pipeline, "p-team")], "", "get pipelines in team: p-team"),
        ("ed", &[team], "p-team", "get pipelines in team: p-team"),
        ("ed", &[team, (PipelineVersion, "v-shared")], "p-shared", "get pipelines in shared: p-shared v-shared"),
        ("ed", &[team, (PipelineVersion, "v-jane")], "", "NotFound: PipelineVersion v-jane not found"),
        ("ed", &[team, (Pipeline, "p-jane")], "", "NotFound: Pipeline p-jane not found"),
        ("ed", &[team], "p-jane", "NotFound: Pipeline p-jane not found"),
        (
            "both",
            &[team, (PipelineVersion, "v-team")],
            "p-jane",
            "InvalidArgument: the request names objects of two namespaces",
        ),
    ] {
        let pipeline_spec = Some(PipelineSpec { pipeline_id: spec.into(), ..Default::default() });
        let run = v1::Run { resource_references: refs(keys), pipeline_spec, ..Default::default() };
        world.check_source::<CreateRunV1>(user, &CreateRunRequest { run: Some(run) }, expect);
    }
}

#[test]
fn runs_use_service_accounts_by_the_same_rule() {
    let world = World::new();
    let denied = "PermissionDenied: ed may not use serviceaccounts in namespace team";
    for home in [(Experiment, "e-team"), (Namespace, "team")] {
        for (user, account, expect) in [
            ("ed", "", "create runs in team: all"),
            ("ed", "runner", "create runs in team: all"),
            ("ed", "trainer", denied),
            ("ursula", "trainer", "create runs in team: all"),
        ] {
            let run =
                v1::Run { resource_references: refs(&[home]), service_account: account.into(), ..Default::default() };
            world.check::<CreateRunV1, _, _>(user, &CreateRunRequest { run: Some(run) }, expect);
        }
    }
}

#[test]
fn lists_take_one_key() {
    let world = World::new();
    let unsupported = |kind: &str| {
        format!(
            "InvalidArgument: a resource reference key of type {kind} cannot be used here: name a NAMESPACE or an \
             EXPERIMENT"
        )
    };
    let unnamed = "InvalidArgument: the request does not name a namespace";
    for (key, expect) in [
        (Some(key(Namespace, "team")), "list runs in team: all"),
        (Some(key(Experiment, "e-team")), "list runs in team: all"),
        (Some(key(Experiment, "e-jane")), "NotFound: Experiment e-jane not found"),
        (Some(key(Namespace, "-")), unnamed),
        (Some(key(Namespace, "")), unnamed),
        (Some(key(UnknownResourceType, "")), unnamed),
        (None, unnamed),
        (Some(key(Pipeline, "p-team")), &*unsupported("PIPELINE")),
        (Some(key(PipelineVersion, "")), &unsupported("PIPELINE_VERSION")),
        (Some(key(Job, "j")), &unsupported("JOB")),
        (Some(key(UnknownResourceType, "x")), &unsupported("UNKNOWN_RESOURCE_TYPE")),
        (Some(ResourceKey { r#type: 99, id: "x".into() }), &unsupported("UNKNOWN_RESOURCE_TYPE")),
    ] {
        let req = ListRunsRequest { resource_reference_key: key, ..Default::default() };
        world.check::<ListRunsV1, _, _>("vi", &req, expect);
    }
    let by = |key| ListExperimentsRequest { resource_reference_key: key, ..Default::default() };
    world.check::<ListExperimentsV1, _, _>("vi", &by(Some(key(Namespace, "team"))), "list experiments in team: all");
    world.check::<ListExperimentsV1, _, _>("vi", &by(None), unnamed);
}

#[test]
fn pipelines_without_a_reference_are_shared() {
    let world = World::new();
    let by = |key| ListPipelinesRequest { resource_reference_key: key, ..Default::default() };
    world.check::<ListPipelinesV1, _, _>("nora", &by(None), "list pipelines in shared: all");
    world.check::<ListPipelinesV1, _, _>("vi", &by(Some(key(Namespace, "team"))), "list pipelines in team: all");
    let denied = "PermissionDenied: nora may not list pipelines.pipelines.kubeflow.org in namespace team";
    world.check::<ListPipelinesV1, _, _>("nora", &by(Some(key(Namespace, "team"))), denied);

    let create = |keys: &[(ResourceType, &str)]| CreatePipelineRequest {
        pipeline: Some(v1::Pipeline { resource_references: refs(keys), ..Default::default() }),
    };
    world.check::<CreatePipelineV1, _, _>("pat", &create(&[]), "create pipelines in shared: all");
    world.check::<CreatePipelineV1, _, _>("ed", &create(&[(Namespace, "team")]), "create pipelines in team: all");
}

#[test]
fn versions_name_their_pipeline() {
    let world = World::new();
    let create = |keys: &[(ResourceType, &str)]| CreatePipelineVersionRequest {
        version: Some(v1::PipelineVersion { resource_references: refs(keys), ..Default::default() }),
    };
    let unnamed = "InvalidArgument: the request does not name a pipeline";
    for (keys, expect) in [
        (&[(Pipeline, "p-team")][..], "create pipelines in team: p-team"),
        (&[(Pipeline, "p-jane")], "NotFound: Pipeline p-jane not found"),
        (&[(Namespace, "team")], unnamed),
        (&[], unnamed),
    ] {
        world.check::<CreatePipelineVersionV1, _, _>("ed", &create(keys), expect);
    }
    let list = |key| ListPipelineVersionsRequest { resource_key: key, ..Default::default() };
    world.check::<ListPipelineVersionsV1, _, _>(
        "vi",
        &list(Some(key(Pipeline, "p-team"))),
        "list pipelines in team: p-team",
    );
    world.check::<ListPipelineVersionsV1, _, _>("vi", &list(None), unnamed);
    let set = |pipeline: &str, version: &str| v1::UpdatePipelineDefaultVersionRequest {
        pipeline_id: pipeline.into(),
        version_id: version.into(),
    };
    for (pipeline, version, expect) in [
        ("p-team", "v-team", "update pipelines in team: p-team v-team"),
        ("p-team", "v-jane", "NotFound: PipelineVersion v-jane not found"),
        ("p-jane", "v-team", "NotFound: Pipeline p-jane not found"),
    ] {
        world.check::<UpdatePipelineDefaultVersionV1, _, _>("ed", &set(pipeline, version), expect);
    }
}

#[test]
fn experiments_name_their_namespace() {
    let world = World::new();
    let create = |keys: &[(ResourceType, &str)]| CreateExperimentRequest {
        experiment: Some(v1::Experiment { resource_references: refs(keys), ..Default::default() }),
    };
    let denied = "PermissionDenied: ed may not create experiments.pipelines.kubeflow.org in namespace jane";
    for (keys, expect) in [
        (&[(Namespace, "team")][..], "create experiments in team: all"),
        (&[(Namespace, "jane")], denied),
        (&[], "InvalidArgument: the request does not name a namespace"),
    ] {
        world.check::<CreateExperimentV1, _, _>("ed", &create(keys), expect);
    }
}
