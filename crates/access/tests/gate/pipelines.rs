//! Shared pipelines: everybody reads them, and a right in the server's namespace writes them.
use crate::world::World;
use api::v2::{
    CreatePipelineAndVersionRequest, CreatePipelineRequest, CreatePipelineVersionRequest, DeletePipelineRequest,
    GetPipelineByNameRequest, GetPipelineRequest, GetPipelineVersionRequest, ListPipelineVersionsRequest,
    ListPipelinesRequest, Pipeline, PipelineVersion, UpdatePipelineRequest, UpdatePipelineVersionRequest,
    pipeline_service_rpc::*,
};

/// Somebody with rights in tenants' namespaces, somebody with none at all, and an owner.
const READERS: [&str; 4] = ["ed", "vi", "nora", "jane"];

#[test]
fn everybody_who_is_logged_in_reads_them() {
    let world = World::new();
    for user in READERS {
        for empty in ["", "-"] {
            let list = ListPipelinesRequest { namespace: empty.into(), ..Default::default() };
            world.check::<ListPipelines, _, _>(user, &list, "list pipelines in shared: all");
            let by_name = GetPipelineByNameRequest { namespace: empty.into(), name: "intro".into() };
            world.check::<GetPipelineByName, _, _>(user, &by_name, "get pipelines in shared: all");
        }
        let get = GetPipelineRequest { pipeline_id: "p-shared".into() };
        world.check::<GetPipeline, _, _>(user, &get, "get pipelines in shared: p-shared");
        let versions = ListPipelineVersionsRequest { pipeline_id: "p-shared".into(), ..Default::default() };
        world.check::<ListPipelineVersions, _, _>(user, &versions, "list pipelines in shared: p-shared");
        let version =
            GetPipelineVersionRequest { pipeline_id: "p-shared".into(), pipeline_version_id: "v-shared".into() };
        world.check::<GetPipelineVersion, _, _>(user, &version, "get pipelines in shared: p-shared v-shared");
    }
}

#[test]
fn the_right_in_the_servers_namespace_writes_them() {
    let world = World::new();
    let denied = |user: &str, verb: &str| {
        format!(
            "PermissionDenied: {user} may not {verb} pipelines.pipelines.kubeflow.org for everybody, which takes the \
             right in namespace kubeflow"
        )
    };
    let create = |namespace: &str| CreatePipelineRequest {
        pipeline: Some(Pipeline { namespace: namespace.into(), name: "intro".into(), ..Default::default() }),
    };
    let with_version = CreatePipelineAndVersionRequest { pipeline: create("").pipeline, ..Default::default() };
    let delete = DeletePipelineRequest { pipeline_id: "p-shared".into(), ..Default::default() };
    let add = CreatePipelineVersionRequest { pipeline_id: "p-shared".into(), ..Default::default() };
    let update = UpdatePipelineRequest {
        pipeline: Some(Pipeline { pipeline_id: "p-shared".into(), ..Default::default() }),
        ..Default::default()
    };
    for user in ["pat", "root"] {
        world.check::<CreatePipeline, _, _>(user, &create(""), "create pipelines in shared: all");
        world.check::<CreatePipeline, _, _>(user, &create("-"), "create pipelines in shared: all");
        world.check::<CreatePipelineAndVersion, _, _>(user, &with_version, "create pipelines in shared: all");
        world.check::<DeletePipeline, _, _>(user, &delete, "delete pipelines in shared: p-shared");
        world.check::<CreatePipelineVersion, _, _>(user, &add, "create pipelines in shared: p-shared");
        world.check::<UpdatePipeline, _, _>(user, &update, "update pipelines in shared: p-shared");
    }
    for user in READERS {
        world.check::<CreatePipeline, _, _>(user, &create(""), &denied(user, "create"));
        world.check::<CreatePipelineAndVersion, _, _>(user, &with_version, &denied(user, "create"));
        world.check::<DeletePipeline, _, _>(user, &delete, &denied(user, "delete"));
        world.check::<CreatePipelineVersion, _, _>(user, &add, &denied(user, "create"));
        world.check::<UpdatePipeline, _, _>(user, &update, &denied(user, "update"));
    }
    // A request without a pipeline names no namespace either.
    let nothing = CreatePipelineRequest { pipeline: None };
    world.check::<CreatePipeline, _, _>("ed", &nothing, &denied("ed", "create"));
}

#[test]
fn private_ones_are_their_namespaces() {
    let world = World::new();
    // Updates name the object inside of it.
    for id in ["p-team", "absent"] {
        let update = UpdatePipelineRequest {
            pipeline: Some(Pipeline { pipeline_id: id.into(), ..Default::default() }),
            ..Default::default()
        };
        world.check::<UpdatePipeline, _, _>("jane", &update, &format!("NotFound: Pipeline {id} not found"));
    }
    for (pipeline, version, expect) in [
        ("p-team", "v-team", "update pipelines in team: p-team v-team"),
        ("", "v-team", "update pipelines in team: v-team"),
        ("p-team", "v-jane", "NotFound: PipelineVersion v-jane not found"),
        ("p-jane", "v-team", "NotFound: Pipeline p-jane not found"),
        ("p-team", "absent", "NotFound: PipelineVersion absent not found"),
        ("", "", "InvalidArgument: the request does not name a pipeline version"),
    ] {
        let (pipeline_id, pipeline_version_id) = (pipeline.to_owned(), version.to_owned());
        let version = PipelineVersion { pipeline_id, pipeline_version_id, ..Default::default() };
        let update = UpdatePipelineVersionRequest { pipeline_version: Some(version), ..Default::default() };
        world.check::<UpdatePipelineVersion, _, _>("ed", &update, expect);
    }
    let list = |namespace: &str| ListPipelinesRequest { namespace: namespace.into(), ..Default::default() };
    world.check::<ListPipelines, _, _>("vi", &list("team"), "list pipelines in team: all");
    let denied = "PermissionDenied: vi may not list pipelines.pipelines.kubeflow.org in namespace jane";
    world.check::<ListPipelines, _, _>("vi", &list("jane"), denied);
    // The right to write shared pipelines reads no private ones.
    let denied = "PermissionDenied: pat may not list pipelines.pipelines.kubeflow.org in namespace team";
    world.check::<ListPipelines, _, _>("pat", &list("team"), denied);
    world.check::<GetPipeline, _, _>(
        "pat",
        &GetPipelineRequest { pipeline_id: "p-team".into() },
        "NotFound: Pipeline p-team not found",
    );
    // `*` stands for shared in rows, and for nothing in requests.
    let error = world.admit::<ListPipelines>(Some(&crate::world::caller("root")), &list("*")).err().unwrap();
    assert_eq!(error.code(), domain::Code::InvalidArgument);
}
