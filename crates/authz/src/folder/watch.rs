//! The loop that looks at the folder again and again.
use super::Folder;
use crate::{
    health::{Handle, Health, tell},
    problem::lines,
};
use access::{PolicyWriter, Rbac};
use std::time::Duration;
use tokio::{
    sync::watch::{self, Sender},
    task::{JoinError, JoinHandle},
    time::{Instant, sleep, timeout},
};

/// The least pause between two looks, so that a poll of zero does not keep a core busy.
const MIN_POLL: Duration = Duration::from_millis(10);
/// How long a look may take at least, however short the grace for files is.
const MIN_PATIENCE: Duration = Duration::from_secs(5);
/// How many problems the health tells.
const TOLD: usize = 20;

pub(super) fn start(folder: Folder, policy: PolicyWriter) -> Handle {
    let (health, handle) = watch::channel(Ok(()));
    tokio::spawn(run(folder, policy, health));
    Handle(handle)
}

async fn run(mut folder: Folder, mut policy: PolicyWriter, health: Sender<Health>) {
    loop {
        tokio::select! {
            () = health.closed() => return,
            () = sleep(folder.options.poll.max(MIN_POLL)) => {}
        }
        match look(folder, &mut policy, &health).await {
            Ok(same) => folder = same,
            Err(error) => {
                // Whatever is known of the folder went down with the thread: nobody has rights that nobody watches.
                policy.replace(Rbac::default());
                tracing::error!("watching the manifests ended, all rights are withdrawn: {error}");
                tell(&health, Err(format!("watching the manifests ended, restart the server: {error}")));
                return health.closed().await;
            }
        }
    }
}

/// One look, on a thread that may block.
async fn look(mut folder: Folder, policy: &mut PolicyWriter, health: &Sender<Health>) -> Result<Folder, JoinError> {
    let patience = folder.options.stale_after.max(MIN_PATIENCE);
    let mut thread = tokio::task::spawn_blocking(move || {
        let rbac = folder.look(Instant::now());
        (folder, rbac)
    });
    let (folder, rbac) = match timeout(patience, &mut thread).await {
        Ok(looked) => looked?,
        Err(_) => hung(thread, patience, policy, health).await?,
    };
    if let Some(rbac) = rbac {
        policy.replace(rbac);
    }
    tell(health, folder.health());
    Ok(folder)
}

/// A disk that does not answer, as network file systems sometimes do not, is no better than one that is gone.
async fn hung(
    thread: JoinHandle<(Folder, Option<Rbac>)>,
    after: Duration,
    policy: &mut PolicyWriter,
    health: &Sender<Health>,
) -> Result<(Folder, Option<Rbac>), JoinError> {
    policy.replace(Rbac::default());
    let why = format!("reading the manifests takes longer than {} s", after.as_secs());
    tracing::error!("{why}; all rights are withdrawn until it ends");
    tell(health, Err(why));
    let (mut folder, rbac) = thread.await?;
    let rbac = rbac.unwrap_or_else(|| folder.rebuild());
    Ok((folder, Some(rbac)))
}

impl Folder {
    fn health(&self) -> Health {
        if self.problems.is_empty() {
            return Ok(());
        }
        let told: Vec<_> = self.problems.iter().take(TOLD).cloned().collect();
        let more = self.problems.len() - told.len();
        let more = if more > 0 { format!("\nand {more} more") } else { String::new() };
        Err(format!("{}{more}", lines(&told)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, load, tests::founded};
    use std::sync::mpsc;

    async fn folder(dir: &tempfile::TempDir) -> Folder {
        load(Options::new(dir.path())).await.unwrap().folder
    }

    #[tokio::test(start_paused = true)]
    async fn the_watch_ends_with_its_handles() {
        let dir = tempfile::tempdir().unwrap();
        let (health, handle) = watch::channel(Ok(()));
        let task = tokio::spawn(run(folder(&dir).await, founded().policy, health));
        let handle = Handle(handle);
        drop(handle.clone());
        sleep(Duration::from_secs(10)).await;
        assert!(!task.is_finished());
        drop(handle);
        task.await.unwrap();
    }

    #[tokio::test]
    async fn a_disk_that_hangs_is_told_and_survived() {
        let dir = tempfile::tempdir().unwrap();
        let folder = folder(&dir).await;
        let (answer, disk) = mpsc::channel::<()>();
        let thread = tokio::task::spawn_blocking(move || {
            disk.recv().unwrap();
            (folder, None)
        });
        let (health, mut handle) = watch::channel(Ok(()));
        let mut policy = founded().policy;
        let told = async {
            handle.changed().await.unwrap();
            assert_eq!(*handle.borrow(), Err("reading the manifests takes longer than 5 s".to_owned()));
            answer.send(()).unwrap();
        };
        let (looked, ()) = tokio::join!(hung(thread, MIN_PATIENCE, &mut policy, &health), told);
        assert!(looked.unwrap().1.is_some(), "the rights must come back although no file changed");
    }
}
