//! Results of earlier runs of the same pipeline in the same namespace, which will do where nothing has changed.
use super::{Shared, folders, records::to_engine};
use domain::{Namespace, Task, TaskIo};
use engine::{Artifact, Outputs, Success};
use std::path::Path;

/// What an earlier task with this fingerprint gave. Without one, or when the store is away, the task is run.
pub(super) async fn find(
    shared: &Shared,
    namespace: &Namespace,
    pipeline_name: &str,
    fingerprint: &str,
) -> Option<Success> {
    let grant = shared.system.grant("look for an earlier result of a task", namespace);
    let not_before = shared.options.cache_max_age.map(|age| shared.clock.now().before(age));
    let found = shared.store.cached(&grant, pipeline_name, fingerprint, not_before).await;
    let task = match found {
        Ok(found) => found?,
        Err(error) => {
            tracing::warn!(%namespace, error = &error as &dyn std::error::Error, "earlier results could not be looked for");
            return None;
        }
    };
    let Task { id, outputs: TaskIo { parameters, artifacts }, .. } = task;
    let to_engine = |list: Vec<_>| list.into_iter().map(to_engine).collect::<Vec<Artifact>>();
    let artifacts: Vec<_> = artifacts.into_iter().map(|(name, list)| (name, to_engine(list))).collect();
    let runs = folders::runs(&shared.options.folder, namespace);
    let here = tokio::task::spawn_blocking(move || {
        // What is in the workspace of a run is for that run.
        let lasts =
            |artifact: &Artifact| is_here(artifact) && !folders::is_in_workspace(&runs, Path::new(&artifact.uri));
        let whole = artifacts.iter().flat_map(|(_, list)| list).all(lasts);
        whole.then_some(artifacts)
    });
    let artifacts = here.await.ok()??.into_iter().collect();
    Some(Success { outputs: Outputs { parameters, artifacts }, cached_from: Some(id.to_string()) })
}

/// Whether what an artifact stands for is still there, as far as that is for this host to say.
fn is_here(artifact: &Artifact) -> bool {
    let path = Path::new(&artifact.uri);
    artifact.missing || !path.is_absolute() || path.symlink_metadata().is_ok()
}
