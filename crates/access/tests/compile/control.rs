//! The control: what the other cases try in vain has an honest form, and that compiles.
use access::{Caller, Claims, Founded, Gate, Grant, Identity, Owner, Proof, System};
use api::{
    access::{Admit, resource::*, verb::*},
    v2::{CreateRunRequest, GetRunRequest, run_service_rpc::*},
};
use domain::{Namespace, Result, Timestamp};
use std::sync::Arc;

fn identity(founded: &Founded) -> Result<Arc<Identity>> {
    founded.authenticators.identity(Claims::new("jane", Proof::Oidc))
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

fn act(gate: &Gate, grant: &Grant<Create, Jobs>) -> Caller {
    let owner: Owner = grant.owner(Timestamp(0));
    gate.act_for(&owner)
}

fn main() {
    let _ = (identity, get, create, settle, act);
}
