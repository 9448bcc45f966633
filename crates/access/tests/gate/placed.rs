//! Where an upload goes that names no namespace.
use crate::world::{BULK, World, caller, edit, namespace};
use access::{Binding, Rbac, Subject, Tenant};
use api::bulkhead::v1::{UploadPipelineRequest, upload_service_rpc::UploadPipeline};

fn upload(namespace: &str) -> UploadPipelineRequest {
    UploadPipelineRequest { namespace: namespace.into(), name: "churn".into(), ..Default::default() }
}

fn several(user: &str, namespaces: &str) -> String {
    format!(
        "InvalidArgument: the request does not say in which namespace to create pipelines, and {user} may do so in \
         several: {namespaces}. Name one with the `namespace` parameter (`namespace=` of the SDK's upload_pipeline, \
         `?namespace=` over HTTP)"
    )
}

#[test]
fn to_everybody_else_to_ones_own_else_to_the_only_one() {
    let world = World::new();
    for (user, expect) in [
        ("pat", "create pipelines in shared: all"),
        ("root", "create pipelines in shared: all"),
        ("jane", "create pipelines in jane: all"),
        ("ed", "create pipelines in team: all"),
        ("gus", "create pipelines in team: all"),
        ("nick", "create pipelines in team: all"),
        ("two", &*several("two", "two-a, two-b")),
        ("both", &several("both", "jane, team")),
        ("vi", "PermissionDenied: vi may not create pipelines in any namespace"),
        ("nora", "PermissionDenied: nora may not create pipelines in any namespace"),
        // To own a Profile is no right by itself: RBAC gives it.
        ("lead", "PermissionDenied: lead may not create pipelines in any namespace"),
    ] {
        for empty in ["", "-"] {
            world.check::<UploadPipeline, _, _>(user, &upload(empty), expect);
        }
    }
}

#[test]
fn long_lists_are_cut() {
    let world = World::new();
    let shown: Vec<String> = (0..BULK.min(10)).map(|number| format!("bulk-{number:02}")).collect();
    world.check::<UploadPipeline, _, _>("bulk", &upload(""), &several("bulk", &format!("{}, …", shown.join(", "))));
}

#[test]
fn ones_own_comes_before_others() {
    let mut world = World::new();
    let user = |name: &str| Subject::User(name.into());
    let tenant = |name: &str, owner: Subject| Tenant { namespace: namespace(name), owner };
    let bind = |home: &str| Binding { subject: user("zoe"), namespace: Some(namespace(home)), rules: vec![edit()] };
    let tenants = || [tenant("a", user("ann")), tenant("b", user("ann")), tenant("zoe", user("zoe"))];
    world.policy().replace(Rbac::new(tenants(), ["a", "b", "zoe"].map(bind)));
    world.check::<UploadPipeline, _, _>("zoe", &upload(""), "create pipelines in zoe: all");
    // Where one may not write in one's own, it does not count.
    world.policy().replace(Rbac::new(tenants(), ["a"].map(bind)));
    world.check::<UploadPipeline, _, _>("zoe", &upload(""), "create pipelines in a: all");
    // A Profile can belong to a group.
    world.policy().replace(Rbac::new(
        [tenant("a", user("ann")), tenant("b", Subject::Group("zoes".into()))],
        ["a", "b"].map(bind),
    ));
    world.check::<UploadPipeline, _, _>("zoe", &upload(""), "create pipelines in b: all");
}

#[test]
fn a_name_is_taken_at_its_word() {
    let world = World::new();
    world.check::<UploadPipeline, _, _>("two", &upload("two-b"), "create pipelines in two-b: all");
    let denied = |user: &str, home: &str| {
        format!("PermissionDenied: {user} may not create pipelines.pipelines.kubeflow.org in namespace {home}")
    };
    for (user, home) in [("two", "team"), ("pat", "kubeflow"), ("root", "gone"), ("jane", "absent")] {
        world.check::<UploadPipeline, _, _>(user, &upload(home), &denied(user, home));
    }
    let error = world.admit::<UploadPipeline>(Some(&caller("root")), &upload("a/b")).err().unwrap();
    assert_eq!(error.code(), domain::Code::InvalidArgument);
}
