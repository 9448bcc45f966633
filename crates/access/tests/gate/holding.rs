//! Rights that are withdrawn from calls under way: what `Gate::holds` says of a grant once the rights have changed.
use crate::world::{World, caller, namespace};
use access::{Binding, PolicyRule, Rbac, Subject, Tenant};
use api::{
    access::{
        resource::Runs,
        verb::{self, Get, List, Update},
    },
    bulkhead::v1::{ReadArtifactRequest, ReadLogRequest, artifact_service_rpc::*, log_service_rpc::*},
    v2::{ListRunsRequest, run_service_rpc::ListRuns},
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
    let world = World::new();
    let policy = &world.founded.as_ref().unwrap().policy;
    let request = ReadLogRequest { run_id: "r-team".into(), ..Default::default() };
    let log = world.admit::<ReadLog>(Some(&caller("vi")), &request).unwrap().grant::<Get, Runs>();
    assert!(world.gate.holds(&log));
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
        policy.replace(rights);
        assert_eq!(world.gate.holds(&log), expect, "{told}");
        assert_eq!(world.gate.holds(&log.clone()), expect, "of a copy: {told}");
    }
}

#[test]
fn each_verb_is_asked_for_by_itself() {
    let world = World::new();
    world.founded.as_ref().unwrap().policy.replace(only(true, &["get", "list", "readArtifact"], &[]));
    let vi = caller("vi");
    let request = ReadArtifactRequest { run_id: "r-team".into(), ..Default::default() };
    let artifact = world.admit::<ReadArtifact>(Some(&vi), &request).unwrap().grant::<verb::ReadArtifact, Runs>();
    let request = ListRunsRequest { namespace: "team".into(), ..Default::default() };
    let list = world.admit::<ListRuns>(Some(&vi), &request).unwrap().grant::<List, Runs>();
    world.founded.as_ref().unwrap().policy.replace(only(true, &["get", "list"], &["r-team"]));
    assert!(!world.gate.holds(&artifact));
    // A right to one object is none to the list.
    assert!(!world.gate.holds(&list));
}

#[test]
fn only_a_loss_is_audited() {
    let world = World::new();
    let request = ReadLogRequest { run_id: "r-team".into(), ..Default::default() };
    let log = world.admit::<ReadLog>(Some(&caller("vi")), &request).unwrap().grant::<Get, Runs>();
    world.audit.take();
    assert!(world.gate.holds(&log));
    assert!(world.audit.take().is_empty());
    world.founded.as_ref().unwrap().policy.replace(Rbac::new([], []));
    assert!(!world.gate.holds(&log));
    let line = "a right was withdrawn from a call under way: vi get runs in team \"r-team\" => false";
    assert_eq!(world.audit.take(), [line]);
}

#[test]
fn what_no_rbac_has_given_none_takes() {
    let world = World::new();
    let founded = world.founded.as_ref().unwrap();
    let settling = founded.system.grant::<Update, Runs>("settle a run", &namespace("team"));
    founded.policy.replace(Rbac::new([], []));
    assert!(world.gate.holds(&settling));

    let world = World::single_user();
    let request = ReadLogRequest { run_id: "absent".into(), ..Default::default() };
    assert!(world.admit::<ReadLog>(None, &request).is_err());
    let request = ListRunsRequest::default();
    let list = world.admit::<ListRuns>(None, &request).unwrap().grant::<List, Runs>();
    assert!(world.gate.holds(&list));
}
