//! Grants, scopes, identities and system authority have private fields.
use access::{Grant, Identity, Owner, Scope, System};
use api::{
    access::{resource::Runs, verb::Get},
    v2::run_service_rpc::GetRun,
};
use domain::{Home, Timestamp};
use std::{marker::PhantomData, sync::Arc};

fn grant(who: Arc<Identity>, home: Home) -> Grant<Get, Runs> {
    Grant { who, home, objects: Arc::from([]), names: Arc::from([]), kind: PhantomData }
}

fn widened(narrow: Grant<Get, Runs>) -> Grant<Get, Runs> {
    Grant { home: Home::Cluster, ..narrow }
}

fn scope(who: Arc<Identity>) -> Scope<GetRun> {
    Scope { who: Some(who), slots: Default::default(), reach: Default::default(), rpc: PhantomData }
}

fn identity(other: Identity) -> Identity {
    Identity { user: "jane".into(), ..other }
}

fn owner(who: Arc<Identity>) -> Owner {
    Owner { who, recorded_at: Timestamp(0) }
}

fn system(who: Arc<Identity>, audit: Arc<dyn access::Audit>) -> System {
    System { who, audit }
}

fn main() {}
