//! Tokens that reach less far than their user, owners who are acted for, and decisions that must be taken down.
use crate::world::{World, namespace, refusal};
use access::{Caller, Claims, Identity, Owner, Proof, Rbac, TokenScope};
use api::{
    access::{Resource, Verb},
    v2::{
        CreateRunRequest, GetRunRequest, ListPipelinesRequest, ListRunsRequest, Run,
        pipeline_service_rpc::ListPipelines,
        run_service_rpc::{CreateRun, GetRun, ListRuns},
    },
};
use domain::{Home, Timestamp};
use futures::executor::block_on;
use std::sync::Arc;

fn both(verbs: &[&str], namespaces: &[&str]) -> Arc<Identity> {
    let scope = TokenScope::new(verbs, namespaces).unwrap();
    Identity::forge_from(Claims { scope, ..Claims::new("both", Proof::ApiToken("t".into())) })
}

fn list(namespace: &str) -> ListRunsRequest {
    ListRunsRequest { namespace: namespace.into(), ..Default::default() }
}

fn get(id: &str) -> GetRunRequest {
    GetRunRequest { run_id: id.into(), ..Default::default() }
}

#[test]
fn a_token_reaches_no_further_than_its_scope() {
    let world = World::new();
    let caller = |verbs: &[&str], namespaces: &[&str]| Caller::Known(both(verbs, namespaces));
    let lists = |who: &Caller, namespace: &str| {
        world.admit::<ListRuns>(Some(who), &list(namespace)).map_or_else(refusal, |_| "passes".into())
    };
    assert_eq!(lists(&caller(&[], &[]), "jane"), "passes");
    assert_eq!(lists(&caller(&["list"], &["jane"]), "jane"), "passes");
    let refused = |namespace: &str| {
        format!(
            "PermissionDenied: both may not list runs.pipelines.kubeflow.org in namespace {namespace} with this token, \
             which is not good for it"
        )
    };
    assert_eq!(lists(&caller(&["get"], &[]), "jane"), refused("jane"));
    assert_eq!(lists(&caller(&[], &["jane"]), "team"), refused("team"));
    // By id, what the token is not good for is as absent as what its user may not see.
    let only_jane = caller(&[], &["jane"]);
    assert_eq!(
        refusal(world.admit::<GetRun>(Some(&only_jane), &get("r-team")).err().unwrap()),
        "NotFound: Run r-team not found"
    );
    world.admit::<GetRun>(Some(&only_jane), &get("r-jane")).unwrap();
    world.admit::<ListPipelines>(Some(&only_jane), &ListPipelinesRequest::default()).unwrap();
}

#[test]
fn an_owner_is_acted_for_within_what_they_could_then_and_can_now() {
    let mut world = World::new();
    let row = Owner::of(&both(&["create", "get"], &["team"]), Timestamp::from_seconds(5)).to_row();
    let owner = Owner::from_row(&row).unwrap();
    assert_eq!((owner.user(), owner.recorded_at()), ("both", Timestamp::from_seconds(5)));
    let create = |experiment: &str| {
        let run = Run { experiment_id: experiment.into(), ..Default::default() };
        CreateRunRequest { run: Some(run), ..Default::default() }
    };
    let acts = |world: &World, experiment: &str| {
        world.admit::<CreateRun>(Some(&world.gate.act_for(&owner)), &create(experiment)).map(drop)
    };
    acts(&world, "e-team").unwrap();
    assert_eq!(refusal(acts(&world, "e-jane").unwrap_err()), "NotFound: Experiment e-jane not found");
    world.policy().replace(Rbac::default());
    assert!(acts(&world, "e-team").is_err(), "a right that was withdrawn stops what acts for its holder");
    for bad in ["", "{}", "null", r#"{"user":"a","groups":[],"recorded_at":0,"admin":true}"#] {
        assert!(Owner::from_row(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn what_cannot_be_taken_down_is_refused() {
    let world = World::new();
    *world.audit.full.lock().unwrap() = true;
    let caller = Caller::Known(both(&[], &[]));
    for id in ["r-team", "r-none"] {
        let refused = world.admit::<GetRun>(Some(&caller), &get(id)).err().unwrap();
        assert_eq!(refusal(refused), "Unavailable: the disk is full");
    }
}

#[test]
fn absent_and_hidden_objects_are_taken_down_alike() {
    let world = World::new();
    let caller = Caller::Known(Identity::forge("jane", &[]));
    for (id, line) in [
        (
            "r-team",
            "/kubeflow.pipelines.backend.api.v2beta1.RunService/GetRun: jane get runs in team \"r-team\" => false",
        ),
        (
            "r-none",
            "/kubeflow.pipelines.backend.api.v2beta1.RunService/GetRun: jane get runs in nowhere \"r-none\" => false",
        ),
    ] {
        let refused = world.admit::<GetRun>(Some(&caller), &get(id)).err().unwrap();
        assert_eq!(refusal(refused), format!("NotFound: Run {id} not found"));
        assert_eq!(world.audit.take(), [line]);
    }
}

#[test]
fn who_asks_hears_what_would_be_decided() {
    let world = World::new();
    let would = |who: &Identity, verb, home: Home| {
        let why = block_on(world.gate.would(who, verb, Resource::Runs, &home, "")).unwrap();
        (why.allows(), why.to_string())
    };
    let team = || Home::Namespace(namespace("team"));
    let vi = Identity::forge("vi", &[]);
    assert_eq!(would(&vi, Verb::Get, team()), (true, "a binding gives it".into()));
    assert_eq!(would(&vi, Verb::Delete, team()), (false, "no binding gives it".into()));
    let gone = Home::Namespace(namespace("gone"));
    assert_eq!(would(&vi, Verb::Get, gone), (false, "the namespace is no tenant's".into()));
    assert_eq!(would(&both(&["get"], &[]), Verb::Delete, team()), (false, "the token is not good for it".into()));
    assert!(world.audit.take().is_empty(), "a question is no decision");
    let mine = |who: &Identity| {
        let mine = block_on(world.gate.namespaces(who, Verb::List, Resource::Runs)).unwrap();
        mine.iter().map(|(namespace, owned)| format!("{namespace} {owned}")).collect::<Vec<_>>()
    };
    assert_eq!(mine(&both(&[], &[])), ["jane false", "team false"]);
    assert_eq!(mine(&both(&[], &["jane"])), ["jane false"]);
    assert_eq!(mine(&Identity::forge("two", &[])), ["two-a true", "two-b true"]);
    assert!(mine(&Identity::forge("nora", &[])).is_empty());
}

#[test]
fn what_everybody_may_is_taken_down_as_well() {
    use api::bulkhead::v1::{WhoAmIRequest, access_service_rpc::WhoAmI};
    let world = World::new();
    let caller = Caller::Known(both(&[], &[]));
    world.admit::<WhoAmI>(Some(&caller), &WhoAmIRequest {}).unwrap();
    assert_eq!(world.audit.take(), ["/bulkhead.v1.AccessService/WhoAmI: both logged in in nowhere \"\" => true"]);
    *world.audit.full.lock().unwrap() = true;
    assert!(world.admit::<WhoAmI>(Some(&caller), &WhoAmIRequest {}).is_err());
}

#[test]
fn an_owner_goes_with_the_token_that_they_used() {
    let world = World::new();
    let owner = Owner::from_row(&Owner::of(&both(&[], &[]), Timestamp(0)).to_row()).unwrap();
    let caller = world.gate.act_for(&owner);
    world.admit::<ListRuns>(Some(&caller), &list("team")).unwrap();
    world.credentials.0.lock().unwrap().insert("t".into());
    let refused = world.admit::<ListRuns>(Some(&caller), &list("team")).err().unwrap();
    assert_eq!(refusal(refused), "Unauthenticated: the credentials that this was begun with have ended");
}

#[test]
fn credentials_are_looked_at_again_when_a_request_took_long() {
    let world = World::new();
    let caller = Caller::Known(both(&[], &[]));
    world.credentials.0.lock().unwrap().insert("t".into());
    // They were good a moment ago, when the head of the request came.
    world.admit::<ListRuns>(Some(&caller), &list("team")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(world.admit::<ListRuns>(Some(&caller), &list("team")).is_err());
}
