//! Where the files of tenants are. Every part of a path is a name that we made or checked.
use domain::{Namespace, RunId, TaskId};
use std::path::{Path, PathBuf};

/// The folder of single-user mode, whose namespace has no name. No namespace can be called this.
const SINGLE_USER: &str = "_";

/// The folder of a namespace's runs, in the namespace's own.
pub(super) const RUNS: &str = "runs";

fn of(root: &Path, namespace: &Namespace) -> PathBuf {
    root.join(if namespace.as_str().is_empty() { SINGLE_USER } else { namespace.as_str() })
}

/// The Python environments of a namespace.
pub(super) fn environments(root: &Path, namespace: &Namespace) -> PathBuf {
    of(root, namespace).join("envs")
}

/// The runs of a namespace.
pub(super) fn runs(root: &Path, namespace: &Namespace) -> PathBuf {
    of(root, namespace).join(RUNS)
}

/// All files of a run.
pub(super) fn run(root: &Path, namespace: &Namespace, run: &RunId) -> PathBuf {
    runs(root, namespace).join(run.as_str())
}

/// The namespace of a folder in the root.
pub(super) fn namespace(name: &str) -> Option<Namespace> {
    if name == SINGLE_USER { Some(Namespace::single_user()) } else { Namespace::parse(name).ok() }
}

/// All files of a task: for each attempt a folder, which is the task's to write, and a log, which is not.
pub(super) fn task(run: &Path, task: &TaskId) -> PathBuf {
    run.join(task.as_str())
}

/// The folder that the tasks of a run share. No task is called this.
pub(super) fn workspace(run: &Path) -> PathBuf {
    run.join("workspace")
}

/// Whether a path is in the workspace of a run.
pub(super) fn is_in_workspace(runs: &Path, path: &Path) -> bool {
    let run = path.strip_prefix(runs).ok().and_then(|below| below.components().next());
    run.is_some_and(|run| path.starts_with(workspace(&runs.join(run))))
}

/// The folder of an attempt, counted from 0.
pub(super) fn attempt(task: &Path, attempt: u32) -> PathBuf {
    task.join(attempt.to_string())
}

/// The log of an attempt.
pub(super) fn log(task: &Path, attempt: u32) -> PathBuf {
    task.join(format!("{attempt}.log"))
}
