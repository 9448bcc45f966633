//! Rights that are held in several namespaces, for requests that cannot say in which.
use crate::world::{KFP, World, caller, edit, namespace, refusal, rule};
use access::{Binding, Rbac, Scope, Subject, Tenant};
use api::{
    access::{
        resource::Runs,
        verb::{Get, ReportMetrics},
    },
    ml_metadata::{
        GetArtifactsRequest, PutArtifactsRequest,
        metadata_store_service_rpc::{GetArtifacts, PutArtifacts},
    },
};
use domain::Namespace;

/// Where somebody may read, as text, or the refusal.
fn reads(world: &World, user: &str) -> String {
    let names = |scope: Scope<GetArtifacts>| {
        let reach = scope.reach::<Get, Runs>();
        reach.namespaces().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let answer = world.admit::<GetArtifacts>(Some(&caller(user)), &GetArtifactsRequest::default());
    answer.map_or_else(refusal, names)
}

fn writes(world: &World, user: &str) -> String {
    let names = |scope: Scope<PutArtifacts>| {
        let reach = scope.reach::<ReportMetrics, Runs>();
        reach.namespaces().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let answer = world.admit::<PutArtifacts>(Some(&caller(user)), &PutArtifactsRequest::default());
    answer.map_or_else(refusal, names)
}

#[test]
fn all_of_them_and_nothing_else() {
    let world = World::new();
    for (user, read, written) in [
        ("jane", "jane", "jane"),
        ("both", "jane team", "jane team"),
        ("two", "two-a two-b", "two-a two-b"),
        ("gus", "team", "team"),
        ("vi", "team", "PermissionDenied: vi may not reportMetrics runs in any namespace"),
        ("nora", "", "PermissionDenied: nora may not reportMetrics runs in any namespace"),
        // The server's own namespace is no tenant's, and to own a Profile is no right by itself.
        ("pat", "", "PermissionDenied: pat may not reportMetrics runs in any namespace"),
        ("lead", "", "PermissionDenied: lead may not reportMetrics runs in any namespace"),
        // What is given for single objects gives nothing here.
        ("nick", "", "PermissionDenied: nick may not reportMetrics runs in any namespace"),
    ] {
        assert_eq!((&*reads(&world, user), &*writes(&world, user)), (read, written), "{user}");
    }
    let nobody = world.admit::<GetArtifacts>(None, &GetArtifactsRequest::default()).err().unwrap();
    assert_eq!(nobody.code(), domain::Code::Unauthenticated);
    let reach = |world: &World| {
        let scope = world.admit::<GetArtifacts>(Some(&caller("jane")), &GetArtifactsRequest::default());
        scope.unwrap().reach::<Get, Runs>()
    };
    let of_jane = reach(&world);
    assert!(of_jane.grant(&namespace("jane")).is_some() && of_jane.grant(&namespace("team")).is_none());
    assert_eq!(reach(&World::single_user()).namespaces(), [Namespace::single_user()]);
}

#[test]
fn ones_own_come_first() {
    let mut world = World::new();
    let user = |name: &str| Subject::User(name.into());
    let tenant = |name: &str, owner: &str| Tenant { namespace: namespace(name), owner: user(owner) };
    let bind = |home: &str| Binding { subject: user("zoe"), namespace: Some(namespace(home)), rules: vec![edit()] };
    let tenants = [tenant("a", "ann"), tenant("c", "zoe"), tenant("b", "zoe"), tenant("d", "ann")];
    world.policy().replace(Rbac::new(tenants, ["a", "b", "c", "d"].map(bind)));
    assert_eq!(reads(&world, "zoe"), "b c a d");
}

#[test]
fn each_place_is_taken_down_and_counted() {
    let world = World::new();
    reads(&world, "both");
    let path = "/ml_metadata.MetadataStoreService/GetArtifacts";
    let line = |home: &str| format!("{path}: both get runs in {home} \"\" => true");
    assert_eq!(world.audit.take(), ["jane", "team"].map(line));
    assert_eq!(world.throttle.calls.lock().unwrap().len(), 2);
    reads(&world, "nora");
    assert_eq!(world.audit.take(), [format!("{path}: nora get runs in nowhere \"\" => false")]);
}

#[test]
fn too_many_are_refused() {
    let mut world = World::new();
    let names: Vec<String> = (0..1001).map(|number| format!("n{number}")).collect();
    let tenants = names.iter().map(|name| Tenant { namespace: namespace(name), owner: Subject::User("ann".into()) });
    let everywhere = Binding {
        subject: Subject::User("zoe".into()),
        namespace: None,
        rules: vec![rule(KFP, &["runs"], &["get"], &[])],
    };
    world.policy().replace(Rbac::new(tenants, [everywhere]));
    assert_eq!(
        reads(&world, "zoe"),
        "FailedPrecondition: zoe may get runs in 1001 namespaces, and one call reaches 1000 at most: come with a token \
         that is good for some of them alone"
    );
}
