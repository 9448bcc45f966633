//! Removes what nobody needs any more: files of runs that were deleted while nobody was there to do it, and Python
//! environments that are not used.
use super::{Shared, drive::remove_files, folders};
use domain::{Namespace, RunId};
use std::{collections::HashSet, fs, path::Path, sync::Arc, time::Duration};

/// How many runs are asked for at a time.
const BATCH: usize = 200;

/// How often environments are looked through.
const EVERY: Duration = Duration::from_secs(3600);

/// Looks through the folders of all namespaces: once for runs, and then again and again for environments.
pub(super) async fn sweep(shared: Arc<Shared>) {
    runs(&shared).await;
    let Some(unused_for) = shared.options.environment_max_age else { return };
    loop {
        let root = shared.options.folder.clone();
        for (name, _) in names(&root).await {
            let Some(namespace) = folders::namespace(&name) else { continue };
            let folder = folders::environments(&root, &namespace);
            if let Err(error) = shared.environments.collect(&folder, unused_for).await {
                tracing::warn!(%namespace, %error, "unused environments could not be looked for");
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn runs(shared: &Shared) {
    let root = shared.options.folder.clone();
    for (name, path) in names(&root).await {
        let Some(namespace) = folders::namespace(&name) else { continue };
        for batch in names(&path.join(folders::RUNS)).await.chunks(BATCH) {
            let ids: Vec<RunId> = batch.iter().map(|(name, _)| RunId::from_text(name)).collect();
            remove_gone(shared, &namespace, ids).await;
        }
    }
}

async fn remove_gone(shared: &Shared, namespace: &Namespace, ids: Vec<RunId>) {
    let grant = shared.system.grant("see which runs are gone", namespace);
    let there: HashSet<RunId> = match shared.store.which_runs(&grant, ids.clone()).await {
        Ok(there) => there,
        Err(error) => return tracing::warn!(%namespace, %error, "left-over files could not be looked for"),
    };
    for id in ids.iter().filter(|id| !there.contains(id)) {
        tracing::info!(run.id = %id, %namespace, "removing the files of a run that is gone");
        remove_files(shared, namespace, id).await;
    }
}

/// The folders in a folder; none where it cannot be read.
async fn names(folder: &Path) -> Vec<(String, std::path::PathBuf)> {
    let folder = folder.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        folders.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path()))).collect()
    });
    read.await.unwrap_or_default()
}
