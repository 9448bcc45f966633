//! What admitted calls count as, where.
use crate::world::{World, caller, refusal};
use api::v2::{
    CreateExperimentRequest, CreateRunRequest, Experiment, GetRunRequest, ListPipelinesRequest,
    PipelineVersionReference, Run,
    experiment_service_rpc::CreateExperiment,
    pipeline_service_rpc::ListPipelines,
    run::PipelineSource,
    run_service_rpc::{CreateRun, GetRun},
};
use std::sync::atomic::Ordering;

fn get(id: &str) -> GetRunRequest {
    GetRunRequest { run_id: id.into(), ..Default::default() }
}

/// A run in an experiment, of a pipeline.
fn create(experiment: &str, pipeline: &str) -> CreateRunRequest {
    let reference = PipelineVersionReference { pipeline_id: pipeline.into(), ..Default::default() };
    let pipeline_source = Some(PipelineSource::PipelineVersionReference(reference));
    let run = Run { experiment_id: experiment.into(), pipeline_source, ..Default::default() };
    CreateRunRequest { run: Some(run), ..Default::default() }
}

#[track_caller]
fn check(world: &World, expect: &[&str]) {
    assert_eq!(std::mem::take(&mut *world.throttle.calls.lock().unwrap()), expect);
}

#[test]
fn a_call_counts_once_in_each_of_its_places() {
    let world = World::new();
    let jane = caller("jane");
    world.admit::<GetRun>(Some(&jane), &get("r-jane")).unwrap();
    check(&world, &["jane Read Namespace(\"jane\")"]);
    let experiment = Experiment { namespace: "jane".into(), ..Default::default() };
    world.admit::<CreateExperiment>(Some(&jane), &CreateExperimentRequest { experiment: Some(experiment) }).unwrap();
    check(&world, &["jane Write Namespace(\"jane\")"]);
    // Where it creates and where it reads, and not twice where both are one.
    world.admit::<CreateRun>(Some(&jane), &create("e-jane", "p-shared")).unwrap();
    check(&world, &["jane Write Namespace(\"jane\")", "jane Read Shared"]);
    world.admit::<CreateRun>(Some(&jane), &create("e-jane", "p-jane")).unwrap();
    check(&world, &["jane Write Namespace(\"jane\")"]);
    world.admit::<ListPipelines>(Some(&jane), &ListPipelinesRequest::default()).unwrap();
    check(&world, &["jane Read Shared"]);
}

#[test]
fn who_is_not_admitted_uses_nothing_up_and_hears_nothing_of_it() {
    let world = World::new();
    world.throttle.full.store(true, Ordering::Relaxed);
    for (user, expect) in [("nora", "NotFound: Run r-jane not found"), ("jane", "ResourceExhausted: later")] {
        let refused = world.admit::<GetRun>(Some(&caller(user)), &get("r-jane")).err();
        assert_eq!(refused.map(refusal).as_deref(), Some(expect), "{user}");
    }
    check(&world, &["jane Read Namespace(\"jane\")"]);
}
