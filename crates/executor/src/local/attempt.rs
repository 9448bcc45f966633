//! One attempt of a task, from its inputs to its outputs.
use super::{Happened, Shared, cache, folders, import, observe::Until};
use crate::{
    podman::{self, ImageId, Podman},
    process::Exit,
    python::{Environment, Request},
    sandbox::{Confinement, Limits},
};
use domain::{ArtifactId, Namespace, RunId, TaskId};
use engine::{Artifact, Failure, FailureKind, NodeId, Outputs, Plan, PlannedTask, Success, Work, WorkKind};
use launcher::{Launch, PipInstall, Resources, RunInfo, TaskContext};
use spec::ArtifactTypeSchema;
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);
/// How much of a log's end an error quotes, in bytes.
const TAIL: u64 = 2048;
/// Where the system's own programs are.
const SYSTEM_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The output under which a task's log is, as upstream calls it.
const LOGS: &str = "executor-logs";

/// What is to be run.
pub(super) struct Attempt {
    pub(super) namespace: Namespace,
    pub(super) run_id: RunId,
    pub(super) run: RunInfo,
    pub(super) task_id: TaskId,
    pub(super) plan: Arc<Plan>,
    pub(super) task: Arc<PlannedTask>,
    pub(super) node: NodeId,
    pub(super) attempt: u32,
    pub(super) work: Box<Work>,
    /// Tells the driver that the attempt begins; it answers once that is stored.
    pub(super) begins: mpsc::UnboundedSender<Begins>,
}

/// What a command needs around it.
enum Base<'s> {
    /// This host, and the packages that its component asks for.
    Host(Option<Environment>),
    /// The image of its component.
    Image(&'s Podman, ImageId),
}

/// An attempt whose process is about to start.
#[derive(Debug)]
pub(super) struct Begins {
    pub(super) node: NodeId,
    pub(super) attempt: u32,
    pub(super) stored: oneshot::Sender<()>,
}

pub(super) fn failure(message: impl Into<String>) -> Failure {
    Failure { message: message.into(), kind: FailureKind::Error, outputs: Outputs::default() }
}

pub(super) fn invalid(message: impl Into<String>) -> Failure {
    Failure { kind: FailureKind::Invalid, ..failure(message) }
}

fn infrastructure(message: impl Into<String>) -> Failure {
    Failure { kind: FailureKind::Infrastructure, ..failure(message) }
}

/// What the pipeline says wrongly would fail again; what this machine lacks may be there the next time.
fn staging(error: launcher::Error) -> Failure {
    match error {
        launcher::Error::Task(message) => invalid(message),
        launcher::Error::Io { doing, source } => {
            tracing::error!(error = %source, "a task could not be prepared: {doing}");
            infrastructure(doing)
        }
    }
}

impl Attempt {
    /// Does the work of the attempt, or finds it done, or ends when `kill` says so.
    pub(super) async fn run(self, shared: &Shared, kill: CancellationToken) -> Result<Success, Failure> {
        if let Some(fingerprint) = &self.work.fingerprint
            && let Some(success) = self.earlier(shared, fingerprint).await
        {
            return Ok(success);
        }
        let observer = &*shared.observer;
        let waits = Until::new(observer, Happened::TaskWaits, Happened::TaskWaitsNoMore);
        let _slot = tokio::select! {
            () = kill.cancelled() => return Err(failure("the task was stopped before it started")),
            slot = shared.slots.acquire(&self.namespace) => slot,
        };
        drop(waits);
        let _runs = Until::new(observer, Happened::TaskRuns, Happened::TaskRunsNoMore);
        if let WorkKind::Import(wanted) = &self.work.kind {
            let workspace = self.workspace(shared);
            let import = import::Importing { shared, namespace: &self.namespace, plan: &self.plan, workspace };
            return import.run(wanted).await.map(|outputs| Success { outputs, cached_from: None });
        }
        let log = self.log(shared);
        // Most attempts wait above: what comes now is large.
        match Box::pin(self.execute(shared, kill)).await {
            Ok(mut outputs) => {
                outputs.artifacts.extend(logs(&log));
                Ok(Success { outputs, cached_from: None })
            }
            Err(mut failure) => {
                failure.outputs.artifacts.extend(logs(&log));
                Err(failure)
            }
        }
    }

    /// An earlier result. Namespaces take turns, so that a loop of many iterations does not keep the database from others.
    async fn earlier(&self, shared: &Shared, fingerprint: &str) -> Option<Success> {
        let _turn = shared.look_ups.acquire(&self.namespace).await;
        cache::find(shared, &self.namespace, self.plan.pipeline_name(), fingerprint).await
    }

    /// Runs the container of the task in its slot.
    async fn execute(self, shared: &Shared, kill: CancellationToken) -> Result<Outputs, Failure> {
        let stopped = || failure("the task was stopped before it started");
        lacking(&self.work)?;
        let log = self.log(shared);
        let folder = folders::attempt(&self.task_folder(shared), self.attempt);
        let runs = folders::runs(&shared.options.folder, &self.namespace);
        let workspace = self.work.workspace.then(|| self.workspace(shared));
        // Left by a server that was killed before the attempt began.
        let cleared = shared.sandbox.remove(&folder).await;
        cleared.map_err(|error| infrastructure(format!("the task's folder cannot be cleared: {error}")))?;
        let (launch, this) = self.stage(shared, &runs, &folder, workspace.clone()).await?;
        let base = tokio::select! {
            () = kill.cancelled() => return Err(stopped()),
            base = this.base(shared, &launch) => base?,
        };
        tokio::select! {
            () = kill.cancelled() => return Err(stopped()),
            begun = this.begin() => begun?,
        }
        let confinement = this.confinement(shared, &launch, &base, &folder, workspace.clone(), log.clone());
        let started = match &base {
            Base::Host(_) => shared.sandbox.start(confinement).await,
            Base::Image(podman, image) => podman.start(confinement, image.clone(), launch.entry_point).await,
        };
        let mut process =
            started.map_err(|error| infrastructure(format!("the task's supervisor cannot be started: {error}")))?;
        let exit = tokio::select! {
            exit = process.wait() => exit,
            () = kill.cancelled() => {
                process.stop(GRACE).await;
                process.wait().await
            }
        };
        // From here on it may be collected.
        drop(base);
        match exit {
            Exit::Code(0) => this.collect(folder, workspace).await,
            Exit::NotStarted(why) => Err(invalid(format!("the task could not be started: {why}"))),
            other if other.infrastructure() => Err(infrastructure(format!("the task {other}{}", tail(&log)))),
            other => Err(failure(format!("the task {other}{}", tail(&log)))),
        }
    }

    fn task_folder(&self, shared: &Shared) -> PathBuf {
        folders::task(&folders::run(&shared.options.folder, &self.namespace, &self.run_id), &self.task_id)
    }

    fn log(&self, shared: &Shared) -> PathBuf {
        folders::log(&self.task_folder(shared), self.attempt)
    }

    fn workspace(&self, shared: &Shared) -> PathBuf {
        folders::workspace(&folders::run(&shared.options.folder, &self.namespace, &self.run_id))
    }

    /// Waits until it is stored that the attempt begins: after a crash nobody must take it for one that never did.
    async fn begin(&self) -> Result<(), Failure> {
        let (stored, known) = oneshot::channel();
        let begins = Begins { node: self.node, attempt: self.attempt, stored };
        let told = self.begins.send(begins).is_ok() && known.await.is_ok();
        if told { Ok(()) } else { Err(infrastructure("the run is no longer carried on here")) }
    }

    /// Makes the folders and the command line.
    async fn stage(
        self,
        shared: &Shared,
        runs: &Path,
        folder: &Path,
        workspace: Option<PathBuf>,
    ) -> Result<(Launch, Self), Failure> {
        let (runs, folder) = (runs.to_owned(), folder.to_owned());
        let in_image = shared.podman.is_some();
        let staged = tokio::task::spawn_blocking(move || {
            let unmade = |error| infrastructure(format!("the task's folder cannot be made: {error}"));
            fs::create_dir_all(&folder).map_err(unmade)?;
            workspace.iter().try_for_each(fs::create_dir_all).map_err(unmade)?;
            let launch = launcher::stage(&self.context(&folder, workspace.as_deref(), in_image)?).map_err(staging)?;
            for input in &launch.inputs {
                plain(&runs, input).and_then(|()| settled(&runs, input)).map_err(|error| {
                    invalid(format!("the input artifact {} cannot be used: {error}", input.display()))
                })?;
            }
            Ok((launch, self))
        });
        staged.await.map_err(|error| infrastructure(format!("the task could not be prepared: {error}")))?
    }

    fn context<'a>(
        &'a self,
        dir: &'a Path,
        workspace: Option<&'a Path>,
        in_image: bool,
    ) -> Result<TaskContext<'a>, Failure> {
        let container = self.task.container().ok_or_else(|| invalid("the task has no container to run"))?;
        let (run, task, attempt, inputs) = (&self.run, &*self.task, self.attempt, &self.work.inputs);
        Ok(TaskContext { run, task, container, attempt, inputs, dir, in_image, workspace })
    }

    fn network(&self, shared: &Shared) -> bool {
        shared.options.network && !shared.options.offline.contains(self.namespace.as_str())
    }

    /// Has ready what the command needs around it.
    async fn base<'s>(&self, shared: &'s Shared, launch: &Launch) -> Result<Base<'s>, Failure> {
        let Some(podman) = &shared.podman else { return self.environment(shared, launch).await.map(Base::Host) };
        match podman.image(&launch.image).await {
            Ok(image) => Ok(Base::Image(podman, image)),
            Err(error @ podman::Error::Name { .. }) => Err(invalid(error.to_string())),
            Err(error) => Err(failure(error.to_string())),
        }
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
        base: &Base<'_>,
        folder: &Path,
        workspace: Option<PathBuf>,
        log: PathBuf,
    ) -> Confinement {
        let options = &shared.options;
        let mut read_only = launch.inputs.clone();
        let mut env = BTreeMap::new();
        match base {
            Base::Host(environment) => {
                let mut path = SYSTEM_PATH.to_owned();
                // Without an environment of its own a component finds the host's Python, where there is one.
                if let Ok(interpreter) = shared.environments.interpreter() {
                    path = format!("{}:{path}", interpreter.bin().display());
                    read_only.extend(interpreter.read_only());
                }
                if let Some(environment) = environment {
                    path = format!("{}:{path}", environment.bin.display());
                    read_only.extend(environment.read_only.iter().cloned());
                }
                env.extend(launch.env.clone());
                env.insert("PATH".to_owned(), path);
            }
            Base::Image(..) => env.extend(options.container_env.clone().into_iter().chain(launch.env.clone())),
        }
        read_only.sort();
        read_only.dedup();
        Confinement {
            argv: launch.argv.clone(),
            env,
            cwd: launch.cwd.clone(),
            read_only,
            read_write: [folder.to_owned()].into_iter().chain(workspace).collect(),
            network: self.network(shared),
            log,
            max_log: options.max_log,
            timeout: [options.task_timeout, self.work.timeout].into_iter().flatten().min(),
            limits: self.limits(options.limits, launch.resources),
        }
    }

    /// What the pipeline allows the task, and no more than the installation does.
    fn limits(&self, most: Limits, wanted: Resources) -> Limits {
        let memory = [most.memory, wanted.memory].into_iter().flatten().min();
        let cpu = [most.cpu, wanted.cpu].into_iter().flatten().reduce(f64::min);
        Limits { memory, cpu, ..most }
    }

    async fn collect(self, folder: PathBuf, workspace: Option<PathBuf>) -> Result<Outputs, Failure> {
        let collected = tokio::task::spawn_blocking(move || {
            let context = self.context(&folder, workspace.as_deref(), false)?;
            launcher::collect(&context).map_err(|error| failure(error.to_string()))
        });
        let collected = collected.await;
        let mut outputs =
            collected.map_err(|error| infrastructure(format!("the task's outputs cannot be read: {error}")))??;
        for artifact in outputs.artifacts.values_mut().flatten() {
            artifact.id = ArtifactId::fresh().to_string();
        }
        Ok(outputs)
    }
}

/// The log of an attempt as an artifact of its task, once there is one.
fn logs(log: &Path) -> Option<(String, Vec<Artifact>)> {
    let uri = log.to_str().filter(|_| log.is_file())?.to_owned();
    let schema = ArtifactTypeSchema { schema_title: "system.Artifact".into(), ..ArtifactTypeSchema::default() };
    let id = ArtifactId::fresh().to_string();
    Some((LOGS.to_owned(), vec![Artifact { id, name: LOGS.to_owned(), uri, schema, ..Artifact::default() }]))
}

/// Passes if the task does without what only a cluster has. Waiting for it would be waiting for ever.
fn lacking(work: &Work) -> Result<(), Failure> {
    match &work.lacking {
        None => Ok(()),
        Some(what) => {
            Err(invalid(format!("the task needs {what}, which this server, having no cluster, does not have")))
        }
    }
}

/// Passes a path below the folder of the namespace's runs that no link is part of. A task that has ended can have left a link in the
/// place of its artifact, and the sandbox of the next one would follow it.
fn plain(runs: &Path, path: &Path) -> io::Result<()> {
    if fs::canonicalize(path)? == path && path.starts_with(runs) {
        return Ok(());
    }
    Err(io::Error::other("it is, or lies behind, a symbolic link"))
}

/// Passes a path that no task writes any more. The workspace of another run may still be written: what is looked at
/// there can be a link a moment later.
fn settled(runs: &Path, path: &Path) -> io::Result<()> {
    match folders::is_in_workspace(runs, path) {
        true => Err(io::Error::other("it is in the workspace of another run")),
        false => Ok(()),
    }
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
