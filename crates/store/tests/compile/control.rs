//! The control: under the right grants the same calls compile.
use access::Grant;
use api::access::{resource::Runs, verb::*};
use domain::{Result, list::Query};
use store::{ListScope, Store};

async fn calls(
    store: &Store,
    get: &Grant<Get, Runs>,
    list: &Grant<List, Runs>,
    delete: &Grant<Delete, Runs>,
) -> Result<()> {
    store.run(get, "id").await?;
    store.runs(list, ListScope::Everything, Query::default()).await?;
    store.delete_run(delete, "id").await
}

fn main() {
    let _ = calls;
}
