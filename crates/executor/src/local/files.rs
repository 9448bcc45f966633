//! Reading what tasks have left: logs, and the artifacts that they put out.
//!
//! A task may have put a link, a pipe or a device wherever it could write, so every step is opened without following
//! links, and what is not a plain file is not read. Where an artifact is, its run's record says and no client.
use super::folders;
use access::Grant;
use api::access::{
    IsVerb,
    resource::Runs,
    verb::{Get, ReadArtifact},
};
use domain::{Error, Kind, Result, Task};
use launcher::beneath::{self, Found};
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// What KFP calls the log of a task where it is asked for as an artifact.
const LOG: &str = "main-logs";

/// Opens files of tasks. Its functions block.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// Those of the executor whose [`super::Options`] name this folder.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The log of an attempt of a task, counted from 0; it may still grow. `None` if there is none yet.
    ///
    /// # Errors
    /// `NotFound` if the task is not of a run of the grant; `FailedPrecondition` if the log is something else than a
    /// file.
    pub fn log(&self, grant: &Grant<Get, Runs>, task: &Task, attempt: u32) -> Result<Option<File>> {
        self.of_attempt(grant, task, attempt)
    }

    /// An output artifact of a task, by the name of the output. `main-logs` is the log of the task's last attempt,
    /// unless an output is called so.
    ///
    /// # Errors
    /// `NotFound` if there is no such output, or no file of it; `FailedPrecondition` if it is a folder, or in another
    /// place than this host.
    pub fn artifact(&self, grant: &Grant<ReadArtifact, Runs>, task: &Task, name: &str) -> Result<File> {
        let absent = || Error::not_found(Kind::Artifact, name);
        let Some(uri) = uri(task, name) else {
            let log = if name == LOG { self.of_attempt(grant, task, task.attempt)? } else { None };
            return log.ok_or_else(absent);
        };
        if !uri.starts_with('/') {
            let text = format!("artifact {name} is at {uri}: this server reads what is on its own disk only");
            return Err(Error::precondition(text));
        }
        // It may be another run's, whose result was taken.
        let runs = folders::runs(&self.folder, grant.namespace()?);
        let Ok(below) = Path::new(&uri).strip_prefix(&runs) else {
            tracing::warn!(run.id = %task.run_id, artifact = name, "an artifact is recorded outside of its namespace's folder");
            return Err(absent());
        };
        grant.covers(Kind::Run, task.run_id.as_str())?;
        match look(&runs, below)? {
            Found::File(file) => Ok(file),
            Found::Nothing => Err(absent()),
            Found::Folder => {
                Err(Error::precondition(format!("artifact {name} is a folder: only single files can be read")))
            }
            Found::Strange => Err(Error::precondition(format!("artifact {name} is not a plain file"))),
        }
    }

    fn of_attempt<V: IsVerb>(&self, grant: &Grant<V, Runs>, task: &Task, attempt: u32) -> Result<Option<File>> {
        grant.covers(Kind::Run, task.run_id.as_str())?;
        let runs = folders::runs(&self.folder, grant.namespace()?);
        let below = folders::log(&Path::new(task.run_id.as_str()).join(task.id.as_str()), attempt);
        match look(&runs, &below)? {
            Found::Nothing => Ok(None),
            Found::File(file) => Ok(Some(file)),
            Found::Folder | Found::Strange => {
                Err(Error::precondition(format!("the log of task {} is not a plain file", task.id)))
            }
        }
    }
}

/// What is at a place in the folder of a namespace's runs.
fn look(runs: &Path, below: &Path) -> Result<Found> {
    match beneath::look(runs, below) {
        // Nothing of this namespace has run yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        found => found.map_err(Error::internal),
    }
}

/// Where an output of a task is, as its record says.
fn uri(task: &Task, name: &str) -> Option<String> {
    Some(task.outputs.artifacts.get(name)?.first()?.uri.clone())
}
