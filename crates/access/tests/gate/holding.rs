//! Rights that are withdrawn from calls under way: what `Gate::holds` says of a grant once the rights have changed.
use crate::world::{World, caller, namespace, refusal};
use access::{Binding, Caller, Claims, Identity, PolicyRule, Proof, Rbac, Subject, Tenant};
use api::{
    access::{
        resource::Runs,
        verb::{self, Get, List, Update},
    },
    bulkhead::v1::{ReadArtifactRequest, ReadLogRequest, artifact_service_rpc::*, log_service_rpc::*},
    v2::{ListRunsRequest, run_service_rpc::ListRuns},
};
use domain::Timestamp;
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// The rights of vi in team, if there still is such a tenant.
fn only(tenant: bool, verbs: &[&str], names: &[&str]) -> Rbac {
    let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
    let rule = PolicyRule {
        api_groups: vec!["pipelines.kubeflow.org".into()],
        resources: vec!["runs".into()],
        verbs: owned(verbs),
        resource_names: owned(names),
    };
    let user = || Subject::User("vi".into());
    let binding = Binding { subject: user(), namespace: Some(namespace("team")), rules: vec![rule] };
    Rbac::new(tenant.then(|| Tenant { namespace: namespace("team"), owner: user() }), [binding])
}

#[test]
fn a_grant_holds_as_long_as_it_would_be_given_again() {
    let mut world = World::new();
    let request = ReadLogRequest { run_id: "r-team".into(), ..Default::default() };
    let log = world.admit::<ReadLog>(Some(&caller("vi")), &request).unwrap().grant::<Get, Runs>();
    assert_eq!(world.holds(&log), Ok(()));
    for (rights, expect) in [
        (only(true, &["get"], &[]), true),
        (only(true, &["*"], &[]), true),
        // By name, as long as it is this object's.
        (only(true, &["get"], &["r-team"]), true),
        (only(true, &["get"], &["r-other"]), false),
        (only(true, &["list", "readArtifact"], &[]), false),
        (only(true, &[], &[]), false),
        // A namespace that is no tenant's any more.
        (only(false, &["get"], &[]), false),
        (Rbac::new([], []), false),
        // What was lost can be held again.
        (only(true, &["get"], &[]), true),
    ] {
        let told = format!("{rights:?}");
        world.policy().replace(rights);
        assert_eq!(world.holds(&log).is_ok(), expect, "{told}");
        assert_eq!(world.holds(&log.clone()).is_ok(), expect, "of a copy: {told}");
    }
}

#[test]
fn each_verb_is_asked_for_by_itself() {
    let mut world = World::new();
    world.policy().replace(only(true, &["get", "list", "readArtifact"], &[]));
    let vi = caller("vi");
    let request = ReadArtifactRequest { run_id: "r-team".into(), ..Default::default() };
    let artifact = world.admit::<ReadArtifact>(Some(&vi), &request).unwrap().grant::<verb::ReadArtifact, Runs>();
    let request = ListRunsRequest { namespace: "team".into(), ..Default::default() };
    let list = world.admit::<ListRuns>(Some(&vi), &request).unwrap().grant::<List, Runs>();
    world.policy().replace(only(true, &["get", "list"], &["r-team"]));
    assert!(world.holds(&artifact).is_err());
    // A right to one object is none to the list.
    assert!(world.holds(&list).is_err());
}

#[test]
fn only_a_loss_is_audited() {
    let mut world = World::new();
    let request = ReadLogRequest { run_id: "r-team".into(), ..Default::default() };
    let log = world.admit::<ReadLog>(Some(&caller("vi")), &request).unwrap().grant::<Get, Runs>();
    world.audit.take();
    assert_eq!(world.holds(&log), Ok(()));
    assert!(world.audit.take().is_empty());
    world.policy().replace(Rbac::new([], []));
    assert!(world.holds(&log).is_err());
    let line = "a right was withdrawn from a call under way: vi get runs in team \"r-team\" => false";
    assert_eq!(world.audit.take(), [line]);
}

#[test]
fn what_no_rbac_has_given_none_takes() {
    let mut world = World::new();
    let settling = world.founded.as_ref().unwrap().system.grant::<Update, Runs>("settle a run", &namespace("team"));
    world.policy().replace(Rbac::new([], []));
    assert_eq!(world.holds(&settling), Ok(()));

    let world = World::single_user();
    let request = ReadLogRequest { run_id: "absent".into(), ..Default::default() };
    assert!(world.admit::<ReadLog>(None, &request).is_err());
    let request = ListRunsRequest::default();
    let list = world.admit::<ListRuns>(None, &request).unwrap().grant::<List, Runs>();
    assert_eq!(world.holds(&list), Ok(()));
}

#[test]
fn credentials_that_end_take_what_was_begun_with_them() {
    let world = World::new();
    let request = ReadLogRequest { run_id: "r-team".into(), ..Default::default() };
    let begin = |proof: Proof, until: Option<i64>| {
        let claims = Claims { until: until.map(Timestamp::from_seconds), ..Claims::new("vi", proof) };
        let caller = Caller::Known(Identity::forge_from(claims));
        world.admit::<ReadLog>(Some(&caller), &request).unwrap().grant::<Get, Runs>()
    };
    let token = begin(Proof::ApiToken("t1".into()), None);
    let other = begin(Proof::ApiToken("t2".into()), None);
    let expiring = begin(Proof::Oidc, Some(100));
    for grant in [&token, &other, &expiring] {
        assert_eq!(world.holds(grant), Ok(()));
    }
    let ended = Err("Unauthenticated: the credentials that this was begun with have ended".to_owned());
    world.credentials.0.lock().unwrap().insert("t1".into());
    assert_eq!((world.holds(&token), world.holds(&other)), (ended.clone(), Ok(())));
    world.clock.0.store(100, Ordering::Relaxed);
    assert_eq!((world.holds(&expiring), world.holds(&other)), (ended, Ok(())));
}

#[test]
fn what_is_not_fresh_refuses() {
    let mut world = World::new();
    let request = ReadLogRequest { run_id: "r-team".into(), ..Default::default() };
    let log = world.admit::<ReadLog>(Some(&caller("vi")), &request).unwrap().grant::<Get, Runs>();
    let now = Instant::now();
    world.policy().fresh_until(now + Duration::from_secs(3600));
    assert_eq!(world.holds(&log), Ok(()));
    world.policy().fresh_until(now);
    let stale = "Unavailable: who may do what cannot be known at the moment: nothing was heard of Kubernetes for longer \
                 than may be; try again";
    assert_eq!(world.holds(&log).unwrap_err(), stale);
    assert_eq!(refusal(world.admit::<ReadLog>(Some(&caller("vi")), &request).err().unwrap()), stale);
    world.policy().fresh_until(Instant::now() + Duration::from_secs(3600));
    assert_eq!(world.holds(&log), Ok(()));
}
