//! On MySQL a migration is no transaction: what was cut off amid one is completed by whoever starts next.
use crate::{
    opening::shape,
    raw::execute,
    servers,
    upgrading::{LAST, fill, holds, make},
};
use std::time::Duration;
use store::Store;

/// A database of an older version, with rows, and one that was made by this version.
async fn databases() -> Option<(String, String)> {
    let made = async || {
        let (old, new) = (servers::mysql().await?, servers::mysql().await?);
        make(&old, LAST).await;
        fill(&old).await;
        Store::open(&new).await.unwrap();
        Ok::<_, String>((old, new))
    };
    made().await.map_err(|why| println!("skipped: {why}")).ok()
}

#[tokio::test]
async fn goes_on_where_a_statement_was_refused() {
    let Some((url, new)) = databases().await else { return };
    let obstacles = [
        ("0006_lists", "CREATE TABLE specs (id INTEGER)", "DROP TABLE specs"),
        ("0006_lists", "CREATE INDEX runs_stored ON runs (id)", "DROP INDEX runs_stored ON runs"),
        ("0007_specs", "CREATE INDEX runs_spec ON runs (id)", "DROP INDEX runs_spec ON runs"),
    ];
    for (_, put, _) in obstacles {
        execute(&url, put).await;
    }
    // The index comes first.
    for (at, _, clear) in [obstacles[1], obstacles[0], obstacles[2]] {
        // What was refused is not taken for done the second time.
        for _ in 0..2 {
            let error = Store::open(&url).await.unwrap_err().to_string();
            assert!(error.contains(at), "{error}");
        }
        execute(&url, clear).await;
    }
    let store = Store::open(&url).await.unwrap();
    holds(&store, &url).await;
    assert_eq!(shape(&url).await, shape(&new).await);
}

#[tokio::test]
async fn takes_for_done_what_was_begun_and_is_there() {
    let Some((url, new)) = databases().await else { return };
    execute(&url, "CREATE INDEX recurring_runs_spec ON recurring_runs (namespace)").await;
    Store::open(&url).await.unwrap_err();
    execute(&url, "DROP INDEX recurring_runs_spec ON recurring_runs").await;
    // As a server leaves it that ends before it can say what it has done.
    execute(&url, "CREATE INDEX recurring_runs_spec ON recurring_runs (namespace, spec_hash)").await;
    execute(&url, "UPDATE __bulkhead_migration SET begun = done + 1").await;
    let store = Store::open(&url).await.unwrap();
    holds(&store, &url).await;
    assert_eq!(shape(&url).await, shape(&new).await);
}

#[tokio::test]
async fn comes_to_an_end_however_often_it_is_cut_off() {
    let Some((url, new)) = databases().await else { return };
    let mut cut = 0;
    let store = loop {
        let opening = tokio::spawn({
            let url = url.clone();
            async move { Store::open(&url).await }
        });
        tokio::time::sleep(Duration::from_millis(5 + 5 * cut)).await;
        servers::break_connections(&url).await;
        match opening.await.unwrap() {
            Ok(store) => break store,
            Err(_) => cut += 1,
        }
        assert!(cut < 500, "it does not get on");
    };
    println!("cut off {cut} times");
    assert!(cut > 0);
    // Those connections may have been broken, too.
    drop(store);
    let store = Store::open(&url).await.unwrap();
    holds(&store, &url).await;
    assert_eq!(shape(&url).await, shape(&new).await);
}
