//! One attempt of a task, from its inputs to its outputs.
use super::{Shared, folders};
use crate::{
    process::Exit,
    python::{Environment, Request},
    sandbox::Confinement,
};
use domain::{Namespace, RunId, TaskId};
use engine::{Failure, FailureKind, Inputs, Outputs, PlannedTask};
use launcher::{Launch, PipInstall, RunInfo, TaskContext};
use std::{
    fs,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);
/// How much of a log's end an error quotes, in bytes.
const TAIL: u64 = 2048;
/// Where the system's own programs are.
const SYSTEM_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What is to be run.
pub(super) struct Attempt {
    pub(super) namespace: Namespace,
    pub(super) run_id: RunId,
    pub(super) run: RunInfo,
    pub(super) task_id: TaskId,
    pub(super) task: PlannedTask,
    pub(super) attempt: u32,
    pub(super) inputs: Inputs,
}

fn failure(message: impl Into<String>) -> Failure {
    Failure { message: message.into(), kind: FailureKind::Error }
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure { message: message.into(), kind: FailureKind::Invalid }
}

/// What the pipeline says wrongly would fail again; what this machine lacks may be there the next time.
fn staging(error: launcher::Error) -> Failure {
    match error {
        launcher::Error::Task(message) => invalid(message),
        launcher::Error::Io { doing, source } => {
            tracing::error!(error = %source, "a task could not be prepared: {doing}");
            failure(doing)
        }
    }
}

impl Attempt {
    /// Runs the attempt to its end, or until `kill` says otherwise.
    pub(super) async fn run(self, shared: &Shared, kill: CancellationToken) -> Result<Outputs, Failure> {
        let stopped = || failure("the task was stopped before it started");
        let _slot = tokio::select! {
            () = kill.cancelled() => return Err(stopped()),
            slot = shared.slots.acquire(&self.namespace) => slot,
        };
        let run_folder = folders::run(&shared.options.folder, &self.namespace, &self.run_id);
        let task_folder = folders::task(&run_folder, &self.task_id);
        let folder = folders::attempt(&task_folder, self.attempt);
        let log = folders::log(&task_folder, self.attempt);
        let (launch, this) = self.stage(&run_folder, &folder).await?;
        let environment = tokio::select! {
            () = kill.cancelled() => return Err(stopped()),
            environment = this.environment(shared, &launch) => environment?,
        };
        let confinement = this.confinement(shared, &launch, environment, &folder, log.clone());
        let started = shared.sandbox.start(confinement).await;
        let mut process =
            started.map_err(|error| failure(format!("the task's supervisor cannot be started: {error}")))?;
        let exit = tokio::select! {
            exit = process.wait() => exit,
            () = kill.cancelled() => {
                process.stop(GRACE).await;
                process.wait().await
            }
        };
        match exit {
            Exit::Code(0) => this.collect(folder).await,
            Exit::NotStarted(why) => Err(invalid(format!("the task could not be started: {why}"))),
            other => Err(failure(format!("the task {other}{}", tail(&log)))),
        }
    }

    /// Makes the folders and the command line.
    async fn stage(self, run_folder: &Path, folder: &Path) -> Result<(Launch, Self), Failure> {
        let (run_folder, folder) = (run_folder.to_owned(), folder.to_owned());
        let staged = tokio::task::spawn_blocking(move || {
            fs::create_dir_all(&folder)
                .map_err(|error| failure(format!("the task's folder cannot be made: {error}")))?;
            let launch = launcher::stage(&self.context(&folder)).map_err(staging)?;
            for input in &launch.inputs {
                plain(&run_folder, input).map_err(|error| {
                    invalid(format!("the input artifact {} cannot be used: {error}", input.display()))
                })?;
            }
            Ok((launch, self))
        });
        staged.await.map_err(|error| failure(format!("the task could not be prepared: {error}")))?
    }

    fn context<'a>(&'a self, dir: &'a Path) -> TaskContext<'a> {
        TaskContext { run: &self.run, task: &self.task, attempt: self.attempt, inputs: &self.inputs, dir }
    }

    fn network(&self, shared: &Shared) -> bool {
        shared.options.network && !shared.options.offline.contains(self.namespace.as_str())
    }

    async fn environment(&self, shared: &Shared, launch: &Launch) -> Result<Option<Environment>, Failure> {
        let Some(packages) = &launch.packages else { return Ok(None) };
        let folder = folders::environments(&shared.options.folder, &self.namespace);
        let arguments = |install: &PipInstall| [install.options.clone(), install.requirements.clone()].concat();
        let installs: Vec<Vec<String>> = packages.installs.iter().map(arguments).collect();
        let request = Request { folder: &folder, installs: &installs, network: self.network(shared) };
        let environment = shared.environments.ready(request).await;
        environment.map_err(|error| failure(error.to_string()))
    }

    fn confinement(
        &self,
        shared: &Shared,
        launch: &Launch,
        environment: Option<Environment>,
        folder: &Path,
        log: PathBuf,
    ) -> Confinement {
        let options = &shared.options;
        let mut read_only = launch.inputs.clone();
        let mut path = SYSTEM_PATH.to_owned();
        // Without an environment of its own a component finds the host's Python, where there is one.
        if let Ok(interpreter) = shared.environments.interpreter() {
            path = format!("{}:{path}", interpreter.bin().display());
            read_only.extend(interpreter.read_only());
        }
        if let Some(environment) = environment {
            path = format!("{}:{path}", environment.bin.display());
            read_only.extend(environment.read_only);
        }
        read_only.sort();
        read_only.dedup();
        let mut env = launch.env.clone();
        env.insert("PATH".to_owned(), path);
        Confinement {
            argv: launch.argv.clone(),
            env,
            cwd: launch.cwd.clone(),
            read_only,
            read_write: vec![folder.to_owned()],
            network: self.network(shared),
            log,
            max_log: options.max_log,
            timeout: options.task_timeout,
            limits: options.limits,
        }
    }

    async fn collect(self, folder: PathBuf) -> Result<Outputs, Failure> {
        let collected = tokio::task::spawn_blocking(move || launcher::collect(&self.context(&folder)));
        let collected =
            collected.await.map_err(|error| failure(format!("the task's outputs cannot be read: {error}")))?;
        collected.map_err(|error| failure(error.to_string()))
    }
}

/// Passes a path of this run's own folder that no link is part of. A task that has ended can have left a link in the
/// place of its artifact, and the sandbox of the next one would follow it.
fn plain(run_folder: &Path, path: &Path) -> io::Result<()> {
    if fs::canonicalize(path)? == path && path.starts_with(run_folder) {
        return Ok(());
    }
    Err(io::Error::other("it is, or lies behind, a symbolic link"))
}

/// The end of a log, for an error.
fn tail(log: &Path) -> String {
    let read = || -> io::Result<String> {
        let mut file = fs::File::open(log)?;
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    match read() {
        Ok(text) if !text.trim().is_empty() => format!("; the end of its log:\n{}", text.trim_end()),
        _ => String::new(),
    }
}
