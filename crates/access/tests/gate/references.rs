//! What an object was made of is asked for again when it is to go on.
use crate::world::{World, caller, refusal};
use api::{
    access::Admit,
    v1::{
        EnableJobRequest, RetryRunRequest as RetryRunV1Request, job_service_rpc::EnableJob, run_service_rpc::RetryRunV1,
    },
    v2::{
        EnableRecurringRunRequest, RetryRunRequest, recurring_run_service_rpc::EnableRecurringRun,
        run_service_rpc::RetryRun,
    },
};
use futures::executor::block_on;

#[test]
fn to_go_on_is_to_use_again_what_it_was_made_of() {
    let world = World::new();
    let account = "PermissionDenied: service account trainer: ed may not use serviceaccounts in namespace team";
    let pipeline = "PermissionDenied: ed may no longer get the Pipeline p-jane that this was made of";
    for (user, id, expect) in [
        // The default service account and a pipeline of its own take no further right.
        ("ed", "r-team", "passes"),
        ("ed", "r-account", account),
        ("ursula", "r-account", "passes"),
        ("ed", "r-pipeline", pipeline),
        ("both", "r-pipeline", "passes"),
        // What was deleted since is nobody's.
        ("ed", "r-orphan", "passes"),
        ("jane", "r-account", "NotFound: Run r-account not found"),
        ("jane", "r-none", "NotFound: Run r-none not found"),
        ("vi", "r-account", "PermissionDenied: vi may not retry runs.pipelines.kubeflow.org in namespace team"),
    ] {
        let req = RetryRunRequest { run_id: id.into(), ..Default::default() };
        let answer = world.admit::<RetryRun>(Some(&caller(user)), &req).map_or_else(refusal, |_| "passes".into());
        assert_eq!(answer, expect, "{user} retries {id}");
        let req = RetryRunV1Request { run_id: id.into() };
        let answer = world.admit::<RetryRunV1>(Some(&caller(user)), &req).map_or_else(refusal, |_| "passes".into());
        assert_eq!(answer, expect, "{user} retries {id} in v1beta1");
    }
    for (user, id, expect) in [
        ("ed", "j-team", "passes"),
        ("ed", "j-account", account),
        // The pipeline that it takes the latest version of is shared.
        ("ursula", "j-account", "passes"),
        ("jane", "j-account", "NotFound: RecurringRun j-account not found"),
    ] {
        let req = EnableRecurringRunRequest { recurring_run_id: id.into() };
        let admitted = block_on(world.gate.admit::<EnableRecurringRun>(Some(&caller(user)), &req));
        assert_eq!(admitted.map_or_else(refusal, |_| "passes".into()), expect, "{user} enables {id}");
        let req = EnableJobRequest { id: id.into() };
        let admitted = block_on(world.gate.admit::<EnableJob>(Some(&caller(user)), &req));
        assert_eq!(admitted.map_or_else(refusal, |_| "passes".into()), expect, "{user} enables {id} in v1beta1");
    }
}
