//! A scope yields the grants of its RPC's rule: no other verb, no other resource, and an optional one only as such.
use access::{Grant, Scope};
use api::{
    access::{resource::*, verb::*},
    v2::run_service_rpc::{CreateRun, GetRun},
};

fn verb(scope: &Scope<GetRun>) -> Grant<Delete, Runs> {
    scope.grant::<Delete, Runs>()
}

fn resource(scope: &Scope<GetRun>) -> Grant<Get, Experiments> {
    scope.grant::<Get, Experiments>()
}

fn certain(scope: &Scope<CreateRun>) -> Grant<Get, Pipelines> {
    scope.grant::<Get, Pipelines>()
}

fn relabelled(grant: Grant<Get, Runs>) -> Grant<Delete, Runs> {
    grant
}

fn main() {}
