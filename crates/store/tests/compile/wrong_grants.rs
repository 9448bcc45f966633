//! A grant of another verb, of another resource, and none at all.
use access::Grant;
use api::access::{resource::*, verb::*};
use domain::{Result, list::Query};
use store::{ListScope, Store};

async fn verb(store: &Store, get: &Grant<Get, Runs>) -> Result<()> {
    store.delete_run(get, "id").await
}

async fn resource(store: &Store, get: &Grant<Get, Experiments>) -> Result<std::sync::Arc<domain::Run>> {
    store.run(get, "id").await
}

async fn none(store: &Store) -> Result<domain::list::Page<domain::Run>> {
    store.runs(ListScope::Everything, Query::default()).await
}

fn main() {}
