//! A folder of manifests and what of it counts at the moment.
//!
//! A file that cannot be used counts as it last was for [`Options::stale_after`], and then grants nothing until it is
//! good again; the other files are untouched by that. A file that is gone withdraws what it granted at once.
mod file;
mod scan;
mod settle;
mod watch;

use crate::{
    health::Handle,
    manifests,
    problem::{Error, Problem},
};
use access::{PolicyWriter, Rbac};
use file::File;
use scan::Scan;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};
use tokio::time::Instant;

/// Where the manifests are, and how closely they are watched.
#[derive(Clone, Debug)]
pub struct Options {
    pub path: PathBuf,
    /// For how long the last good state of a file that cannot be used counts.
    pub stale_after: Duration,
    /// How long to wait between two looks at the folder.
    pub poll: Duration,
}

impl Options {
    /// A minute of grace, and a look every second.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), stale_after: Duration::from_secs(60), poll: Duration::from_secs(1) }
    }
}

/// What a folder says at the start.
#[derive(Debug)]
pub struct Loaded {
    pub rbac: Rbac,
    /// To be watched with the writer that comes with the gate.
    pub folder: Folder,
}

/// Reads a folder for the first time.
///
/// # Errors
/// Every problem with every file: a server that starts with half of its rights would surprise everybody.
pub async fn load(options: Options) -> Result<Loaded, Error> {
    let now = Instant::now();
    let path = options.path.clone();
    let load = move || {
        let mut folder = Folder::new(options);
        let rbac = folder.look(now).unwrap_or_default();
        (folder, rbac)
    };
    let loaded = tokio::task::spawn_blocking(load).await;
    let (folder, rbac) = loaded.map_err(|error| {
        Error(vec![Problem { path, place: None, what: format!("reading the folder failed: {error}") }])
    })?;
    if folder.problems.is_empty() {
        return Ok(Loaded { rbac, folder });
    }
    Err(Error(folder.problems.into_iter().collect()))
}

/// A folder of manifests, and all that is known of its files.
#[derive(Debug)]
pub struct Folder {
    options: Options,
    files: BTreeMap<PathBuf, File>,
    /// What is wrong at the moment.
    problems: BTreeSet<Problem>,
    warnings: BTreeSet<String>,
    /// Whether the folder was looked at before.
    looked: bool,
}

impl Folder {
    fn new(options: Options) -> Self {
        Self { options, files: BTreeMap::new(), problems: BTreeSet::new(), warnings: BTreeSet::new(), looked: false }
    }

    /// Keeps the rights of the gate current with the folder, until the last clone of the handle is dropped.
    pub fn watch(self, policy: PolicyWriter) -> Handle {
        watch::start(self, policy)
    }

    /// Looks at the folder as it is `now`. Blocks on the disk.
    ///
    /// Returns the rights if they may differ from those before.
    fn look(&mut self, now: Instant) -> Option<Rbac> {
        let scan = scan::scan(&self.options.path);
        let mut changed = self.take(&scan);
        if changed {
            settle::settle(&mut self.files, now);
        }
        for file in self.files.values_mut() {
            changed |= file.age(now, self.options.stale_after);
        }
        self.report(scan.problems);
        if !changed && self.looked {
            return None;
        }
        self.looked = true;
        Some(self.rebuild())
    }

    /// Reads what is new or different. Returns whether anything is.
    fn take(&mut self, scan: &Scan) -> bool {
        let before = self.files.len();
        self.files.retain(|path, _| scan.found.contains_key(path) || scan.problem(path).is_some());
        let mut changed = before != self.files.len();
        for (path, print) in &scan.found {
            changed |= self.files.entry(path.clone()).or_default().update(path, *print);
        }
        for (path, file) in &mut self.files {
            // What cannot be reached is not the same as what is gone.
            if let Some(problem) = scan.problem(path) {
                changed |= file.unreachable(problem);
            }
        }
        changed
    }

    /// Logs what was not wrong before, and what no longer is.
    fn report(&mut self, unreachable: Vec<Problem>) {
        let files = self.files.values().flat_map(File::problems).cloned();
        let problems: BTreeSet<Problem> = files.chain(unreachable).collect();
        for problem in problems.difference(&self.problems) {
            tracing::error!(path = %problem.path.display(), "manifest cannot be used: {problem}");
        }
        let paths = |problems: &BTreeSet<Problem>| problems.iter().map(|p| p.path.clone()).collect::<BTreeSet<_>>();
        for path in paths(&self.problems).difference(&paths(&problems)) {
            tracing::info!(path = %path.display(), "manifest is good again, or gone: {}", path.display());
        }
        self.problems = problems;
    }

    /// The rights of all that counts.
    fn rebuild(&mut self) -> Rbac {
        let facts = manifests::expand(self.files.values().filter_map(File::counting));
        for warning in facts.warnings.difference(&self.warnings) {
            tracing::warn!("{warning}");
        }
        self.warnings.clone_from(&facts.warnings);
        facts.rbac()
    }
}

#[cfg(test)]
mod tests;
