//! For how long the gate goes by what it has heard.
use super::*;
use std::time::Instant;

const BOUND: Duration = Duration::from_secs(3);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_quiet_cluster_stays_fresh() {
    let api = team().await;
    let house = House::follow(&api, BOUND).await;
    house.until("jane", "team", "yes").await;
    let end = Instant::now() + 2 * BOUND;
    while Instant::now() < end {
        assert_eq!(house.ask("jane", "team").await, "yes");
        assert_eq!(house.handle.health(), Ok(()));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn what_a_dead_watch_has_missed_is_heard_within_the_bound() {
    let api = team().await;
    let house = House::follow(&api, BOUND).await;
    house.until("jane", "team", "yes").await;
    eventually("it is watched", async || api.requests().iter().any(|uri| uri.contains("/rolebindings?&watch"))).await;
    api.mute_watches();
    api.delete("rolebindings", "team/jane-reads");
    let began = Instant::now();
    house.until("jane", "team", "no").await;
    assert!(began.elapsed() < BOUND + SLACK, "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_api_server_without_its_store_does_not_count() {
    let api = team().await;
    let house = House::follow(&api, BOUND).await;
    house.until("jane", "team", "yes").await;
    eventually("it is healthy", async || house.handle.health().is_ok()).await;
    api.refuse(Some((500, "etcdserver: request timed out")));
    let began = Instant::now();
    assert_eq!(house.ask("jane", "team").await, "yes", "what was heard counts for a while");
    house.until("jane", "team", "Unavailable").await;
    assert!(began.elapsed() < BOUND + SLACK, "{:?}", began.elapsed());
    eventually("readiness knows why", async || {
        house.handle.health().is_err_and(|why| why.contains("rolebindings: the API server answered 500: etcdserver"))
    })
    .await;
    // Meanwhile somebody's right is withdrawn, and nobody else's.
    api.delete("rolebindings", "team/jane-reads");
    api.put("rolebindings", within("team", binding("john-reads", "reader", "john")));
    api.refuse(None);
    house.until("john", "team", "yes").await;
    house.until("jane", "team", "no").await;
    eventually("it is healthy again", async || house.handle.health().is_ok()).await;
}

#[tokio::test]
async fn one_kind_that_cannot_be_read_is_enough() {
    let api = Api::start().await;
    api.refuse(Some((403, "roles.rbac.authorization.k8s.io is forbidden")));
    let house = House::follow(&api, BOUND).await;
    eventually("readiness says what is missing", async || {
        let why = house.handle.health().unwrap_err();
        ["profiles", "roles", "clusterroles", "rolebindings", "clusterrolebindings"].iter().all(|resource| {
            why.lines().any(|line| line.starts_with(&format!("{resource}: the API server answered 403")))
        }) && why.contains("docs/OPERATIONS.md")
    })
    .await;
    assert_eq!(house.ask("jane", "team").await, "Unavailable");
}

#[tokio::test]
async fn nothing_goes_on_without_the_handle() {
    let api = team().await;
    let house = House::follow(&api, BOUND).await;
    house.until("jane", "team", "yes").await;
    let House { gate, handle, .. } = house;
    drop(handle);
    let jane = Identity::forge("jane", &[]);
    let home = Home::Namespace(Namespace::parse("team").unwrap());
    eventually("nothing is known any more", async || {
        gate.would(&jane, Verb::Get, Resource::Runs, &home, "").await.is_err()
    })
    .await;
    api.requests();
    tokio::time::sleep(BOUND).await;
    assert_eq!(api.requests(), [""; 0]);
}
