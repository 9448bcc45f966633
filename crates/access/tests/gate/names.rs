//! `resourceNames`: rights to single objects. `nick` has nothing else.
use crate::world::World;
use api::{
    bulkhead::v1::{UploadPipelineVersionRequest, upload_service_rpc::UploadPipelineVersion},
    v2::{
        self, CreateExperimentRequest, CreatePipelineVersionRequest, DeleteExperimentRequest, Experiment,
        GetExperimentRequest, GetPipelineByNameRequest, GetPipelineRequest, GetPipelineVersionRequest, GetRunRequest,
        ListExperimentsRequest, experiment_service_rpc::*, pipeline_service_rpc::*, run_service_rpc::*,
    },
};

#[test]
fn of_experiments() {
    let world = World::new();
    let get = |id: &str| GetExperimentRequest { experiment_id: id.into() };
    world.check::<GetExperiment, _, _>("nick", &get("e-team"), "get experiments in team: e-team");
    let unseen = "NotFound: Experiment e-team-2 not found";
    world.check::<GetExperiment, _, _>("nick", &get("e-team-2"), unseen);
    // The same name elsewhere is another object.
    world.check::<GetExperiment, _, _>("nick", &get("e-jane"), "NotFound: Experiment e-jane not found");

    let delete = |id: &str| DeleteExperimentRequest { experiment_id: id.into() };
    world.check::<DeleteExperiment, _, _>("nick", &delete("e-team"), "delete experiments in team: e-team");
    world.check::<DeleteExperiment, _, _>("nick", &delete("e-team-2"), unseen);

    let archive = v2::ArchiveExperimentRequest { experiment_id: "e-team".into() };
    let seen = "PermissionDenied: nick may not archive experiments.pipelines.kubeflow.org in namespace team";
    world.check::<ArchiveExperiment, _, _>("nick", &archive, seen);

    let list = ListExperimentsRequest { namespace: "team".into(), ..Default::default() };
    let listed = "PermissionDenied: nick may not list experiments.pipelines.kubeflow.org in namespace team";
    world.check::<ListExperiments, _, _>("nick", &list, listed);

    let create = |name: &str| CreateExperimentRequest {
        experiment: Some(Experiment { namespace: "team".into(), display_name: name.into(), ..Default::default() }),
    };
    let refused = "PermissionDenied: nick may not create experiments.pipelines.kubeflow.org in namespace team";
    world.check::<CreateExperiment, _, _>("nick", &create("train"), "create experiments in team: all");
    for name in ["", "tune", "train ", "Train"] {
        world.check::<CreateExperiment, _, _>("nick", &create(name), refused);
    }
}

#[test]
fn of_runs() {
    let world = World::new();
    let get = |id: &str| GetRunRequest { run_id: id.into(), ..Default::default() };
    world.check::<GetRun, _, _>("nick", &get("r-team"), "get runs in team: r-team");
    world.check::<GetRun, _, _>("nick", &get("r-jane"), "NotFound: Run r-jane not found");
}

#[test]
fn of_pipelines_and_their_versions() {
    let world = World::new();
    let get = |id: &str| GetPipelineRequest { pipeline_id: id.into() };
    world.check::<GetPipeline, _, _>("nick", &get("p-team"), "get pipelines in team: p-team");
    world.check::<GetPipeline, _, _>("nick", &get("p-team-2"), "NotFound: Pipeline p-team-2 not found");

    let by_name = |name: &str| GetPipelineByNameRequest { namespace: "team".into(), name: name.into() };
    world.check::<GetPipelineByName, _, _>("nick", &by_name("churn"), "get pipelines in team: all");
    // Whether there is a `fraud` does not show: `nothing` gets the same words.
    for name in ["fraud", "nothing", ""] {
        let refused = "PermissionDenied: nick may not get pipelines.pipelines.kubeflow.org in namespace team";
        world.check::<GetPipelineByName, _, _>("nick", &by_name(name), refused);
    }

    // A version goes by its pipeline's name.
    let version = GetPipelineVersionRequest { pipeline_id: "p-team".into(), pipeline_version_id: "v-team".into() };
    world.check::<GetPipelineVersion, _, _>("nick", &version, "get pipelines in team: p-team v-team");
    let of_other = GetPipelineVersionRequest { pipeline_id: "p-team-2".into(), pipeline_version_id: "v-team".into() };
    world.check::<GetPipelineVersion, _, _>("nick", &of_other, "NotFound: Pipeline p-team-2 not found");
}

#[test]
fn of_new_versions() {
    let world = World::new();
    let version = |name: &str| Some(v2::PipelineVersion { name: name.into(), ..Default::default() });
    let create = |pipeline: &str, name: &str| CreatePipelineVersionRequest {
        pipeline_id: pipeline.into(),
        pipeline_version: version(name),
    };
    let upload = |pipeline: &str, name: &str| UploadPipelineVersionRequest {
        pipeline_id: pipeline.into(),
        name: name.into(),
        ..Default::default()
    };
    // What is written to is the pipeline, so its name counts and not the one that the version is to have.
    let granted = "create pipelines in team: p-team";
    let absent = "NotFound: Pipeline p-team-2 not found";
    for name in ["churn", "v2", ""] {
        world.check::<CreatePipelineVersion, _, _>("nick", &create("p-team", name), granted);
        world.check::<CreatePipelineVersion, _, _>("nick", &create("p-team-2", name), absent);
        world.check::<UploadPipelineVersion, _, _>("nick", &upload("p-team", name), granted);
        world.check::<UploadPipelineVersion, _, _>("nick", &upload("p-team-2", name), absent);
        world.check::<CreatePipelineVersion, _, _>("ed", &create("p-team", name), granted);
    }
}
