//! Who calls: nobody, somebody whose credentials were refused, somebody known.
use crate::world::{World, caller, edit, namespace, refusal};
use access::{Binding, Caller, Identity, Rbac, Subject, Tenant};
use api::v2::{
    GetRunRequest, ListRunsRequest,
    healthz_service_rpc::GetHealthz,
    run_service_rpc::{GetRun, ListRuns},
};

fn list(namespace: &str) -> ListRunsRequest {
    ListRunsRequest { namespace: namespace.into(), ..Default::default() }
}

fn get(id: &str) -> GetRunRequest {
    GetRunRequest { run_id: id.into(), ..Default::default() }
}

#[test]
fn who_is_not_known_is_told_why_and_nothing_else() {
    let world = World::new();
    let refused = Caller::Refused("the token expired".into());
    let nobody = "no credentials came with it; send an `authorization: Bearer TOKEN` header";
    for (caller, why) in [(None, nobody), (Some(&Caller::Nobody), nobody), (Some(&refused), "the token expired")] {
        let expect = format!("Unauthenticated: the request is not authenticated: {why}");
        // Neither what exists nor what makes sense shows.
        for req in [list("team"), list(""), list("NOT A NAME"), list("gone")] {
            assert_eq!(refusal(world.admit::<ListRuns>(caller, &req).err().unwrap()), expect);
        }
        for req in [get("r-team"), get("r-none"), get("")] {
            assert_eq!(refusal(world.admit::<GetRun>(caller, &req).err().unwrap()), expect);
        }
    }
    assert_eq!(world.audit.take(), [""; 0], "nothing was decided about anybody");
}

#[test]
fn public_rpcs_ask_for_nobody() {
    let world = World::new();
    for caller in [None, Some(&Caller::Nobody), Some(&Caller::Refused("no".into())), Some(&caller("ed"))] {
        assert_eq!(world.admit::<GetHealthz>(caller, &()).unwrap().caller(), None);
    }
}

#[test]
fn a_scope_says_who_called() {
    let world = World::new();
    let scope = world.admit::<GetRun>(Some(&caller("ed")), &get("r-team")).unwrap();
    assert_eq!(scope.caller().unwrap().user(), "ed");
    assert_eq!(scope.grant().who().user(), "ed");
}

#[test]
fn roles_bind_users_and_groups() {
    let world = World::new();
    for user in ["ed", "vi", "gus", "both", "root"] {
        world.check::<ListRuns, _, _>(user, &list("team"), "list runs in team: all");
    }
    for user in ["jane", "nora", "pat", "guss", "blind", ""] {
        let expect = format!("PermissionDenied: {user} may not list runs.pipelines.kubeflow.org in namespace team");
        world.check::<ListRuns, _, _>(user, &list("team"), &expect);
    }
}

#[test]
fn a_namespace_without_a_tenant_is_closed_to_everybody() {
    let world = World::new();
    let expect = |user: &str, home: &str| {
        format!("PermissionDenied: {user} may not list runs.pipelines.kubeflow.org in namespace {home}")
    };
    // `root` may everything in the cluster, `pat` everything in `kubeflow`.
    for (user, home) in [("root", "gone"), ("root", "kube-system"), ("root", "kubeflow"), ("pat", "kubeflow")] {
        world.check::<ListRuns, _, _>(user, &list(home), &expect(user, home));
    }
    let master = Caller::Known(Identity::forge("admin", &["system:masters"]));
    world.admit::<ListRuns>(Some(&master), &list("team")).unwrap();
    let error = world.admit::<ListRuns>(Some(&master), &list("gone")).err().unwrap();
    assert_eq!(refusal(error), expect("admin", "gone"));
}

#[test]
fn rights_that_are_replaced_hold_from_then_on() {
    let mut world = World::new();
    let before = world.admit::<ListRuns>(Some(&caller("ed")), &list("team")).unwrap();
    let tenant = Tenant { namespace: namespace("team"), owner: Subject::User("lead".into()) };
    let nora =
        Binding { subject: Subject::User("nora".into()), namespace: Some(namespace("team")), rules: vec![edit()] };
    world.policy().replace(Rbac::new([tenant], [nora]));
    let refused = "PermissionDenied: ed may not list runs.pipelines.kubeflow.org in namespace team";
    world.check::<ListRuns, _, _>("ed", &list("team"), refused);
    world.check::<ListRuns, _, _>("nora", &list("team"), "list runs in team: all");
    assert_eq!(before.grant().namespace().unwrap().as_str(), "team", "an admitted call goes on");
}
