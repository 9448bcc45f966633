//! Single-user mode: everything is the one user's, and what is absent is absent all the same.
use crate::world::{World, caller, refusal};
use access::Caller;
use api::{
    access::{Grants, IsResource, IsVerb, Rule},
    bulkhead::v1::{UploadPipelineRequest, upload_service_rpc::UploadPipeline},
    v1::{self, ResourceKey, ResourceType, run_service_rpc::ListRunsV1},
    v2::{
        CreateRunRequest, GetRunRequest, ListPipelinesRequest, ListRunsRequest, Run,
        pipeline_service_rpc::ListPipelines, run_service_rpc::*,
    },
};
use domain::{Home, Namespace};

/// Admitted whoever calls, where there is only one namespace.
#[track_caller]
fn in_the_one_namespace<R: Rule + Grants<V, T>, V: IsVerb, T: IsResource>(req: &R::Request) {
    let world = World::single_user();
    for caller in [None, Some(&Caller::Nobody), Some(&Caller::Refused("no".into())), Some(&caller("jane"))] {
        let scope = world.admit::<R>(caller, req).unwrap_or_else(|error| panic!("{}: {error}", R::PATH));
        assert_eq!(scope.grant().home(), &Home::Namespace(Namespace::single_user()), "{}", R::PATH);
        assert_eq!(scope.caller().unwrap().user(), "local");
    }
}

#[test]
fn no_namespace_and_any_namespace_are_the_one() {
    // Clients made for many users send what they have.
    for namespace in ["", "-", "kubeflow", "NOT A NAME"] {
        let namespace = || namespace.to_owned();
        in_the_one_namespace::<ListRuns, _, _>(&ListRunsRequest { namespace: namespace(), ..Default::default() });
        in_the_one_namespace::<ListPipelines, _, _>(&ListPipelinesRequest {
            namespace: namespace(),
            ..Default::default()
        });
        in_the_one_namespace::<UploadPipeline, _, _>(&UploadPipelineRequest {
            namespace: namespace(),
            ..Default::default()
        });
    }
    in_the_one_namespace::<CreateRun, _, _>(&CreateRunRequest::default());
    in_the_one_namespace::<ListRunsV1, _, _>(&v1::ListRunsRequest::default());
}

#[test]
fn any_service_account_will_do() {
    let run = Run { service_account: "anything".into(), ..Default::default() };
    in_the_one_namespace::<CreateRun, _, _>(&CreateRunRequest { run: Some(run), ..Default::default() });
}

#[test]
fn an_absent_id_is_not_found_and_no_id_is_wrong() {
    let world = World::single_user();
    let answer = |id: &str| {
        let req = GetRunRequest { run_id: id.into(), ..Default::default() };
        refusal(world.admit::<GetRun>(None, &req).err().unwrap())
    };
    assert_eq!(answer("absent"), "NotFound: Run absent not found");
    assert_eq!(answer(""), "InvalidArgument: the request does not name a run");
    let key = Some(ResourceKey { r#type: ResourceType::Job as i32, id: "j".into() });
    let req = v1::ListRunsRequest { resource_reference_key: key, ..Default::default() };
    let error = world.admit::<ListRunsV1>(None, &req).err().unwrap();
    assert_eq!(error.code(), domain::Code::InvalidArgument);
}

#[test]
fn an_object_is_admitted_where_it_is_and_alone() {
    let world = World::single_user();
    world.check::<GetRun, _, _>(
        "whoever",
        &GetRunRequest { run_id: "r-team".into(), ..Default::default() },
        "get runs in team: r-team",
    );
}
