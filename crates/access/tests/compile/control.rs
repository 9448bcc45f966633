//! The control: what the other cases try in vain has an honest form, and that compiles.
use access::{Caller, Founded, Gate, Grant, Identity, System};
use api::{
    access::{Admit, resource::*, verb::*},
    v2::{CreateRunRequest, GetRunRequest, run_service_rpc::*},
};
use domain::{Namespace, Result};
use std::sync::Arc;

fn identity(founded: &Founded) -> Result<Arc<Identity>> {
    founded.authenticators.identity("jane", &[])
}

async fn get(gate: &Gate, caller: &Caller, req: &GetRunRequest) -> Result<Grant<Get, Runs>> {
    Ok(gate.admit::<GetRun>(Some(caller), req).await?.grant())
}

async fn create(gate: &Gate, caller: &Caller, req: &CreateRunRequest) -> Result<Option<Grant<Get, Pipelines>>> {
    let scope = gate.admit::<CreateRun>(Some(caller), req).await?;
    let _: Grant<Create, Runs> = scope.grant();
    Ok(scope.grant_opt())
}

fn settle(system: &System, namespace: &Namespace) -> Grant<Update, Runs> {
    system.grant("to settle a run", namespace)
}

fn main() {
    let _ = (identity, get, create, settle);
}
