//! Requests that name an object: who may not know of it hears what they would hear if it did not exist.
use crate::world::{World, caller, refusal};
use access::Caller;
use api::{
    access::Rule,
    bulkhead::v1::{UploadPipelineVersionRequest, upload_service_rpc::UploadPipelineVersion},
    v1, v2,
};
use domain::Result;

/// An RPC that finds its place by one id in the request.
struct Call {
    path: &'static str,
    verb: &'static str,
    ask: fn(&World, &Caller, String) -> Result<()>,
}

macro_rules! calls {
    ($($verb:literal $rpc:path: $request:path { $id:ident }),* $(,)?) => {
        &[$(Call {
            path: <$rpc as Rule>::PATH,
            verb: $verb,
            ask: |world, caller, id| {
                let mut req = <$request>::default();
                req.$id = id;
                world.admit::<$rpc>(Some(caller), &req).map(drop)
            },
        }),*]
    };
}

const EXPERIMENTS: &[Call] = calls!(
    "get" v2::experiment_service_rpc::GetExperiment: v2::GetExperimentRequest { experiment_id },
    "archive" v2::experiment_service_rpc::ArchiveExperiment: v2::ArchiveExperimentRequest { experiment_id },
    "unarchive" v2::experiment_service_rpc::UnarchiveExperiment: v2::UnarchiveExperimentRequest { experiment_id },
    "delete" v2::experiment_service_rpc::DeleteExperiment: v2::DeleteExperimentRequest { experiment_id },
    "list" v2::run_service_rpc::ListRuns: v2::ListRunsRequest { experiment_id },
    "get" v1::experiment_service_rpc::GetExperimentV1: v1::GetExperimentRequest { id },
    "archive" v1::experiment_service_rpc::ArchiveExperimentV1: v1::ArchiveExperimentRequest { id },
    "unarchive" v1::experiment_service_rpc::UnarchiveExperimentV1: v1::UnarchiveExperimentRequest { id },
    "delete" v1::experiment_service_rpc::DeleteExperimentV1: v1::DeleteExperimentRequest { id },
);

const RUNS: &[Call] = calls!(
    "get" v2::run_service_rpc::GetRun: v2::GetRunRequest { run_id },
    "archive" v2::run_service_rpc::ArchiveRun: v2::ArchiveRunRequest { run_id },
    "unarchive" v2::run_service_rpc::UnarchiveRun: v2::UnarchiveRunRequest { run_id },
    "delete" v2::run_service_rpc::DeleteRun: v2::DeleteRunRequest { run_id },
    "terminate" v2::run_service_rpc::TerminateRun: v2::TerminateRunRequest { run_id },
    "retry" v2::run_service_rpc::RetryRun: v2::RetryRunRequest { run_id },
    "get" v1::run_service_rpc::GetRunV1: v1::GetRunRequest { run_id },
    "archive" v1::run_service_rpc::ArchiveRunV1: v1::ArchiveRunRequest { id },
    "unarchive" v1::run_service_rpc::UnarchiveRunV1: v1::UnarchiveRunRequest { id },
    "delete" v1::run_service_rpc::DeleteRunV1: v1::DeleteRunRequest { id },
    "terminate" v1::run_service_rpc::TerminateRunV1: v1::TerminateRunRequest { run_id },
    "retry" v1::run_service_rpc::RetryRunV1: v1::RetryRunRequest { run_id },
    "reportMetrics" v1::run_service_rpc::ReportRunMetricsV1: v1::ReportRunMetricsRequest { run_id },
);

const PIPELINES: &[Call] = calls!(
    "get" v2::pipeline_service_rpc::GetPipeline: v2::GetPipelineRequest { pipeline_id },
    "delete" v2::pipeline_service_rpc::DeletePipeline: v2::DeletePipelineRequest { pipeline_id },
    "list" v2::pipeline_service_rpc::ListPipelineVersions: v2::ListPipelineVersionsRequest { pipeline_id },
    "create" v2::pipeline_service_rpc::CreatePipelineVersion: v2::CreatePipelineVersionRequest { pipeline_id },
    "get" v1::pipeline_service_rpc::GetPipelineV1: v1::GetPipelineRequest { id },
    "delete" v1::pipeline_service_rpc::DeletePipelineV1: v1::DeletePipelineRequest { id },
    "get" v1::pipeline_service_rpc::GetTemplate: v1::GetTemplateRequest { id },
    "create" UploadPipelineVersion: UploadPipelineVersionRequest { pipeline_id },
);

const VERSIONS: &[Call] = calls!(
    "get" v2::pipeline_service_rpc::GetPipelineVersion: v2::GetPipelineVersionRequest { pipeline_version_id },
    "delete" v2::pipeline_service_rpc::DeletePipelineVersion: v2::DeletePipelineVersionRequest { pipeline_version_id },
    "get" v1::pipeline_service_rpc::GetPipelineVersionV1: v1::GetPipelineVersionRequest { version_id },
    "delete" v1::pipeline_service_rpc::DeletePipelineVersionV1: v1::DeletePipelineVersionRequest { version_id },
    "get" v1::pipeline_service_rpc::GetPipelineVersionTemplate: v1::GetPipelineVersionTemplateRequest { version_id },
);

/// The calls, an id of `team`, what RBAC calls the resource that is asked for, and what a message calls the id.
const ALL: [(&[Call], &str, &str, &str); 4] = [
    (EXPERIMENTS, "e-team", "experiments", "an experiment"),
    (RUNS, "r-team", "runs", "a run"),
    (PIPELINES, "p-team", "pipelines", "a pipeline"),
    (VERSIONS, "v-team", "pipelines", "a pipeline version"),
];

#[test]
fn a_foreign_id_is_an_absent_id() {
    let world = World::new();
    for (calls, foreign, ..) in ALL {
        for Call { path, ask, .. } in calls {
            let answer = |user: &str, id: &str| refusal(ask(&world, &caller(user), id.into()).unwrap_err());
            for user in ["jane", "nora", "pat", "two"] {
                let told = answer(user, foreign);
                assert!(told.starts_with("NotFound: "), "{path} tells {user}: {told}");
                assert_eq!(told, answer(user, "absent").replace("absent", foreign), "{path} for {user}");
            }
            // What exists in a namespace without a tenant, and ids that look like other things.
            for id in ["e-gone", "absent", "%", "' OR 1=1 --", "../team", "\0"] {
                assert!(answer("root", id).starts_with("NotFound: "), "{path} of {id:?}");
            }
        }
    }
}

#[test]
fn who_may_is_admitted() {
    let world = World::new();
    for (calls, id, ..) in ALL {
        for Call { path, ask, .. } in calls {
            for user in ["ed", "gus", "root"] {
                let answer = ask(&world, &caller(user), id.into());
                assert!(answer.is_ok(), "{path} for {user}: {answer:?}");
            }
        }
    }
}

#[test]
fn who_sees_an_object_but_lacks_the_verb_is_told_which() {
    let world = World::new();
    for (calls, id, resource, _) in ALL {
        for Call { path, verb, ask } in calls {
            let answer = ask(&world, &caller("vi"), id.into());
            if ["get", "list"].contains(verb) {
                assert!(answer.is_ok(), "{path}: {answer:?}");
                continue;
            }
            let expect =
                format!("PermissionDenied: vi may not {verb} {resource}.pipelines.kubeflow.org in namespace team");
            assert_eq!(refusal(answer.unwrap_err()), expect, "{path}");
        }
    }
}

#[test]
fn an_id_is_required() {
    let world = World::new();
    for (calls, _, _, what) in ALL {
        for Call { path, ask, .. } in calls {
            // Where two fields can name the place, the first one is told.
            let what = if path.ends_with("/ListRuns") { "a namespace" } else { what };
            let answer = refusal(ask(&world, &caller("ed"), String::new()).unwrap_err());
            assert_eq!(answer, format!("InvalidArgument: the request does not name {what}"), "{path}");
        }
    }
}

#[test]
fn an_id_of_another_kind_is_absent() {
    let world = World::new();
    for (calls, own, ..) in ALL {
        for Call { path, ask, .. } in calls {
            for id in ["e-team", "r-team", "p-team", "v-team"].into_iter().filter(|id| *id != own) {
                let answer = refusal(ask(&world, &caller("ed"), id.into()).unwrap_err());
                assert!(answer.starts_with("NotFound: "), "{path} of {id}: {answer}");
            }
        }
    }
}
