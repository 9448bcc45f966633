//! Every decision is heard: the gate's, with what it was about, and each use of the system's own authority.
use crate::world::{World, caller, namespace, told};
use api::{
    access::{resource::Runs, verb::*},
    v2::{CreateRunRequest, GetRunRequest, PipelineVersionReference, Run, run::PipelineSource, run_service_rpc::*},
};

#[test]
fn decisions_say_who_what_where_and_whether() {
    let world = World::new();
    let get = |id: &str| GetRunRequest { run_id: id.into(), ..Default::default() };
    let path = "/kubeflow.pipelines.backend.api.v2beta1.RunService";

    world.admit::<GetRun>(Some(&caller("ed")), &get("r-team")).unwrap();
    let line = format!("{path}/GetRun: ed get runs in team \"r-team\" => true");
    assert_eq!(world.audit.take(), [line]);

    // The log says what the caller is not told: the object is there.
    world.admit::<GetRun>(Some(&caller("jane")), &get("r-team")).err().unwrap();
    let line = format!("{path}/GetRun: jane get runs in team \"r-team\" => false");
    assert_eq!(world.audit.take(), [line]);

    let source = PipelineVersionReference { pipeline_id: String::new(), pipeline_version_id: "v-jane".into() };
    let run = Run {
        experiment_id: "e-team".into(),
        pipeline_source: Some(PipelineSource::PipelineVersionReference(source)),
        ..Default::default()
    };
    let req = CreateRunRequest { run: Some(run), ..Default::default() };
    world.admit::<CreateRun>(Some(&caller("ed")), &req).err().unwrap();
    let lines = [
        format!("{path}/CreateRun: ed create runs in team \"\" => true"),
        format!("{path}/CreateRun: ed get pipelines in jane \"churn\" => false"),
    ];
    assert_eq!(world.audit.take(), lines);
}

#[test]
fn the_systems_own_authority_says_what_it_is_for() {
    let world = World::new();
    let system = &world.founded.as_ref().unwrap().system;
    let grant = system.grant::<Update, Runs>("settle a run", &namespace("team"));
    assert_eq!(told(&grant), "update runs in team: all");
    assert_eq!(grant.who().user(), "system:bulkhead");
    let grant = system.everywhere::<List, Runs>("find unfinished runs");
    assert_eq!(told(&grant), "list runs in cluster: all");
    assert!(grant.namespace().is_err());
    let lines = [
        "settle a run: system:bulkhead update runs in team \"\" => true",
        "find unfinished runs: system:bulkhead list runs in cluster \"\" => true",
    ];
    assert_eq!(world.audit.take(), lines);
}
