//! What changes in the cluster changes what is decided.
use super::*;

#[tokio::test]
async fn every_kind_counts_as_it_changes() {
    let api = team().await;
    let house = House::follow(&api, LONG).await;
    assert_eq!(house.ask("jane", "team").await, "Unavailable", "nothing was heard yet");
    assert!(house.handle.health().is_err());
    house.until("jane", "team", "yes").await;
    eventually("it is healthy", async || house.handle.health().is_ok()).await;

    api.put("rolebindings", within("team", binding("john-reads", "reader", "john")));
    house.until("john", "team", "yes").await;
    // Another binding says the same of John.
    api.put("rolebindings", within("team", binding("john-too", "reader", "john")));
    api.put("rolebindings", within("team", binding("ann-reads", "reader", "ann")));
    house.until("ann", "team", "yes").await;
    api.delete("rolebindings", "team/john-reads");
    api.delete("rolebindings", "team/ann-reads");
    house.until("ann", "team", "no").await;
    assert_eq!(house.ask("john", "team").await, "yes");

    // The role is narrowed, and then is gone, and then is back.
    api.put("clusterroles", role("reader", &["list"]));
    house.until("jane", "team", "no").await;
    api.put("clusterroles", role("reader", &["*"]));
    house.until("jane", "team", "yes").await;
    api.delete("clusterroles", "reader");
    house.until("jane", "team", "no").await;

    // A Role is looked for where the binding is.
    api.put("roles", within("other", role("own", &["get"])));
    let mut of_role = within("team", binding("eve-reads", "own", "eve"));
    of_role["roleRef"]["kind"] = "Role".into();
    api.put("rolebindings", of_role);
    api.put("clusterroles", role("reader", &["get"]));
    house.until("jane", "team", "yes").await;
    assert_eq!(house.ask("eve", "team").await, "no");
    api.put("roles", within("team", role("own", &["get"])));
    house.until("eve", "team", "yes").await;

    // What holds in the whole cluster holds for tenants; another namespace is none.
    api.put("clusterrolebindings", binding("readers", "reader", "max"));
    house.until("max", "team", "yes").await;
    assert_eq!(house.ask("max", "other").await, "no");
    api.put("profiles", profile("other", "max"));
    house.until("max", "other", "yes").await;
    let mut failed = profile("other", "max");
    failed["status"] = json!({"conditions": [{"type": "Failed", "status": "True"}]});
    api.put("profiles", failed);
    house.until("max", "other", "no").await;
    api.delete("profiles", "team");
    house.until("max", "team", "no").await;
}

#[tokio::test]
async fn owners_have_what_bindings_give_them() {
    let api = team().await;
    api.put("profiles", profile("lab", "ann"));
    let house = House::follow(&api, LONG).await;
    house.until("jane", "team", "yes").await;
    assert_eq!(house.ask("ann", "lab").await, "no", "a Profile alone grants nothing in a cluster");
    api.put("rolebindings", within("lab", binding("namespaceAdmin", "reader", "ann")));
    house.until("ann", "lab", "yes").await;
    let owned = house.gate.namespaces(&Identity::forge("ann", &[]), Verb::Get, Resource::Runs).await.unwrap();
    assert_eq!(owned, [(Namespace::parse("lab").unwrap(), true)]);
}

#[tokio::test]
async fn what_is_asked_of_the_api_server() {
    let api = team().await;
    for number in 0..1_200 {
        api.put("rolebindings", within("team", binding(&format!("b{number}"), "reader", &format!("user{number}"))));
    }
    let house = House::follow(&api, Duration::from_secs(60)).await;
    house.until("user1199", "team", "yes").await;
    assert_eq!(house.ask("user0", "team").await, "yes");
    let of_bindings = || {
        let requests = api.requests().into_iter();
        requests.filter(|request| request.contains("/rolebindings")).collect::<Vec<_>>()
    };
    let path = "/apis/rbac.authorization.k8s.io/v1/rolebindings?";
    let watch = |version: u64| {
        format!("{path}&watch=true&timeoutSeconds=20&allowWatchBookmarks=true&resourceVersion={version}")
    };
    let mut seen = Vec::new();
    eventually("it is watched", async || {
        seen.extend(of_bindings());
        seen.len() == 4
    })
    .await;
    let list = ["&limit=500", "&limit=500&continue=500", "&limit=500&continue=1000"];
    assert_eq!(seen[..3], list.map(|query| format!("{path}{query}")));
    assert_eq!(seen[3], watch(1303));

    // It goes on from the last event, or from what the watch has said.
    api.put("rolebindings", within("team", binding("more", "reader", "more")));
    house.until("more", "team", "yes").await;
    api.put("clusterroles", role("other", &["get"]));
    api.bookmark(Some(1305));
    api.end_watches();
    let mut seen = Vec::new();
    eventually("it is watched again", async || {
        seen.extend(of_bindings());
        seen.len() == 2
    })
    .await;
    assert_eq!(seen, [format!("{path}&limit=1 metadata"), watch(1304)]);
    api.bookmark(None);
    // It may be that the new watch is not there yet.
    let mut seen = Vec::new();
    eventually("it is watched from the bookmark", async || {
        api.end_watches();
        seen.extend(of_bindings());
        seen.contains(&watch(1305))
    })
    .await;
}

#[tokio::test]
async fn what_was_missed_is_found_by_listing() {
    let api = team().await;
    api.put("rolebindings", within("team", binding("john-reads", "reader", "john")));
    api.put("rolebindings", within("team", binding("ann-reads", "reader", "ann")));
    let house = House::follow(&api, LONG).await;
    house.until("john", "team", "yes").await;
    // While nobody listens one is deleted, one changed, one made, and history forgotten.
    api.refuse(Some((503, "later")));
    api.end_watches();
    api.delete("rolebindings", "team/john-reads");
    api.put("rolebindings", within("team", binding("ann-reads", "reader", "bob")));
    api.put("rolebindings", within("team", binding("eve-reads", "reader", "eve")));
    api.delete("profiles", "team");
    api.put("profiles", profile("team", "eve"));
    api.forget_history();
    assert_eq!(house.ask("john", "team").await, "yes", "what was heard counts for a while");
    api.refuse(None);
    house.until("eve", "team", "yes").await;
    house.until("john", "team", "no").await;
    house.until("ann", "team", "no").await;
    house.until("bob", "team", "yes").await;
    let eve = Identity::forge("eve", &[]);
    eventually("the Profile is Eve's", async || {
        house.gate.namespaces(&eve, Verb::Get, Resource::Runs).await.unwrap().first().is_some_and(|(_, own)| *own)
    })
    .await;
}

#[tokio::test]
async fn a_cluster_that_was_set_back_is_listed_again() {
    let api = team().await;
    api.put("rolebindings", within("team", binding("john-reads", "reader", "john")));
    let house = House::follow(&api, LONG).await;
    house.until("john", "team", "yes").await;
    api.delete("rolebindings", "team/john-reads");
    api.restore(50);
    // By its numbers nothing has happened since.
    house.until("john", "team", "no").await;
    assert_eq!(house.ask("jane", "team").await, "yes");
}

#[tokio::test]
async fn a_watch_that_lags_behind_is_not_believed() {
    let api = team().await;
    let house = House::follow(&api, LONG).await;
    house.until("jane", "team", "yes").await;
    let list = |requests: Vec<String>| requests.iter().filter(|uri| uri.ends_with("rolebindings?&limit=500")).count();
    eventually("the first watch is there", async || {
        api.requests().iter().any(|uri| uri.contains("/rolebindings?&watch"))
    })
    .await;
    // An API server that is cut off from the others says where it has stopped.
    api.bookmark(Some(101));
    api.put("rolebindings", within("team", binding("john-reads", "reader", "john")));
    house.until("john", "team", "yes").await;
    let mut lists = 0;
    eventually("it is listed again", async || {
        api.end_watches();
        lists += list(api.requests());
        lists > 0
    })
    .await;
}
