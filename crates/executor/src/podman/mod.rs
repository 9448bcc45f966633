//! Tasks in containers: the image that a component names is what it runs in, where podman is installed.
//!
//! A container is started by the same supervisor as any other task, which stops, watches and removes it. Inside it are
//! the image, the task's own folders at the paths that they have outside, and no capabilities; its root is the user who
//! runs the server, as podman's user namespaces have it, or root without powers where the server is root.
//!
//! What remains, and is to be known:
//!
//! - Images belong to the host and not to a namespace: who can name an image that is here, or that the server's
//!   credentials can pull, can run it.
//! - Limits on memory, processors and processes are the kernel's where podman has control groups. Where it has none the
//!   supervisor looks after them, as it does for tasks without a container.

mod arguments;
mod container;
mod image;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::time::timeout;

pub(crate) use container::{remove, run, terminate};

use crate::process::{Confined, Task};
use crate::sandbox::{Confinement, Kind, find, profile};

/// How long podman may take to say something of itself or of an image that is here.
const PATIENCE: Duration = Duration::from_secs(60);

/// What podman goes by of the server's environment. Nothing of it reaches a task.
const ENVIRONMENT: [&str; 17] = [
    "ALL_PROXY",
    "CONTAINERS_CONF",
    "CONTAINERS_REGISTRIES_CONF",
    "CONTAINERS_STORAGE_CONF",
    "DBUS_SESSION_BUS_ADDRESS",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "PATH",
    "REGISTRY_AUTH_FILE",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "https_proxy",
    "no_proxy",
];

/// The filter of system calls, in the data folder.
const SECCOMP: &str = "podman-seccomp.json";

/// Under it podman remembers whose a container is.
const LABEL: &str = "bulkhead.folder";

/// When an image is pulled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pull {
    /// If it is not here.
    #[default]
    Missing,
    /// Before every task.
    Always,
    /// Never: what is not here cannot run.
    Never,
}

/// The network that tasks get, where they get one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// One of their own, which leads outside as podman's settings have it.
    #[default]
    Private,
    /// This host's, with the services that listen on loopback and on abstract sockets.
    Host,
}

/// What the operator says of podman.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub pull: Pull,
    /// The program; the podman of the server's PATH where nothing is said.
    pub program: Option<PathBuf>,
    /// The OCI runtime; podman's own choice where nothing is said.
    pub runtime: Option<String>,
    pub network: Network,
    /// The server's data folder. It tells whose a container is; another server's are left alone.
    pub folder: PathBuf,
}

/// Why no container can be run. All texts may be shown to the owner of the task.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    #[error("podman cannot run tasks here: {0}")]
    Unavailable(String),
    #[error("{image:?} is no image that a task can run in: {why}")]
    Name { image: String, why: &'static str },
    #[error("the image {image} is not here, and images are not pulled (executor.podman_pull is never)")]
    Absent { image: String },
    #[error("the image {image} cannot be pulled: {why}")]
    Pull { image: String, why: String },
}

/// A podman that was found to work on this host.
#[derive(Clone, Debug)]
pub struct Podman {
    engine: Engine,
    supervisor: PathBuf,
    pull: Pull,
    owner: String,
}

/// How podman is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Engine {
    program: PathBuf,
    runtime: Option<String>,
    env: BTreeMap<String, String>,
    network: Network,
    /// The filter of system calls.
    seccomp: PathBuf,
    /// The control groups that it has, such as `memory`.
    controllers: BTreeSet<String>,
}

/// A container that is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    engine: Engine,
    name: String,
    owner: String,
    image: ImageId,
    /// Whether the command begins with arguments for the image's own entry point.
    entry_point: bool,
}

/// An image that is here, as podman calls it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageId(String);

impl Container {
    pub(crate) fn has_entry_point(&self) -> bool {
        self.entry_point
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "podman ({})", self.engine.program.display())
    }
}

/// What `podman info` says, as far as it matters here.
#[derive(Deserialize)]
struct Info {
    host: HostInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HostInfo {
    #[serde(default)]
    cgroup_controllers: Option<BTreeSet<String>>,
    #[serde(default)]
    service_is_remote: bool,
}

impl Podman {
    /// Asks the podman of the server's PATH what it can do. `supervisor` is the program whose subcommand `supervise` calls
    /// [`crate::process::supervise`]: the server's own.
    ///
    /// # Errors
    ///
    /// `Unavailable` if there is none, or one that cannot start containers on this very host.
    pub async fn detect(settings: Settings, supervisor: &Path) -> Result<Self, Error> {
        let unavailable = Error::Unavailable;
        let program = settings.program.or_else(|| find("podman"));
        let program = program.ok_or_else(|| unavailable("there is no podman in the server's PATH".into()))?;
        let owner = settings
            .folder
            .to_str()
            .ok_or_else(|| unavailable("the data folder's name is not UTF-8".into()))?
            .to_owned();
        let seccomp = settings.folder.join(SECCOMP);
        std::fs::write(&seccomp, profile().to_string())
            .map_err(|error| unavailable(format!("{} cannot be written: {error}", seccomp.display())))?;
        let env = ENVIRONMENT.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
        let engine = Engine {
            program,
            runtime: settings.runtime,
            env: env.collect(),
            network: settings.network,
            seccomp,
            controllers: BTreeSet::new(),
        };
        let told = engine.ask(&["info", "--format", "json"], PATIENCE).await.map_err(unavailable)?;
        let info: Info = serde_json::from_str(&told)
            .map_err(|error| unavailable(format!("what `podman info` says cannot be read: {error}")))?;
        if info.host.service_is_remote {
            return Err(unavailable("it is a client of another host's".into()));
        }
        let controllers = info.host.cgroup_controllers.unwrap_or_default();
        let podman = Self {
            engine: Engine { controllers, ..engine },
            supervisor: supervisor.to_owned(),
            pull: settings.pull,
            owner,
        };
        let limited: Vec<&str> = podman.engine.controllers.iter().map(String::as_str).collect();
        tracing::info!(podman.program = %podman.engine.program.display(), podman.controllers = limited.join(" "), "tasks run in containers");
        Ok(podman)
    }

    /// Removes the containers that a server of the same folder has left behind, as one does that is killed together with its
    /// supervisors.
    ///
    /// # Errors
    ///
    /// Podman's own words.
    pub async fn sweep(&self) -> Result<(), String> {
        let label = format!("label={LABEL}={}", self.owner);
        let ids = self.engine.ask(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &label], PATIENCE).await?;
        let ids: Vec<&str> = ids.lines().filter(|id| !id.is_empty()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        tracing::info!(containers = ids.len(), "removing the containers that an earlier server left behind");
        let remove = [&["rm", "--force", "--ignore", "--time", "0"], ids.as_slice()].concat();
        self.engine.ask(&remove, PATIENCE).await.map(drop)
    }

    /// The image of that name, pulled if need be.
    ///
    /// # Errors
    ///
    /// It is no name of an image, or the image is not to be had.
    pub async fn image(&self, name: &str) -> Result<ImageId, Error> {
        let name = image::check(name)?;
        let here = self.engine.ask(&["image", "inspect", "--format", "{{.Id}}", "--", name], PATIENCE).await;
        let id = match (here, self.pull) {
            (Ok(id), Pull::Missing | Pull::Never) => id,
            (Err(_), Pull::Never) => return Err(Error::Absent { image: name.to_owned() }),
            (Ok(_), Pull::Always) | (Err(_), Pull::Missing | Pull::Always) => {
                // With the transport the name cannot be taken for a file of this host.
                let remote = format!("docker://{name}");
                let pulled = self.engine.ask(&["pull", "--quiet", "--", &remote], Duration::MAX).await;
                pulled.map_err(|why| Error::Pull { image: name.to_owned(), why })?
            }
        };
        Ok(ImageId(id.lines().next_back().unwrap_or_default().trim().to_owned()))
    }

    /// Starts a task in a container of its own. Its command is the arguments of the image's entry point if `entry_point`.
    /// Of the paths that it may read those are shown that it names; the system's are the image's.
    ///
    /// # Errors
    ///
    /// Only when its supervisor could not be started.
    pub async fn start(&self, confinement: Confinement, image: ImageId, entry_point: bool) -> io::Result<Task> {
        let (engine, owner) = (self.engine.clone(), self.owner.clone());
        let name = format!("bulkhead-{}", uuid::Uuid::new_v4().simple());
        let container = Container { engine, name, owner, image, entry_point };
        Task::start(&self.supervisor, Confined { kind: Kind::Podman(Box::new(container)), confinement }).await
    }
}

impl Engine {
    /// What podman answers, or what it says is wrong.
    async fn ask<S: AsRef<OsStr>>(&self, arguments: &[S], patience: Duration) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().envs(&self.env).current_dir("/").stdin(Stdio::null()).kill_on_drop(true);
        match timeout(patience, command.output()).await {
            Err(_) => Err(format!("it gives no answer for {} s", patience.as_secs())),
            Ok(Err(error)) => Err(format!("{} cannot be started: {error}", self.program.display())),
            Ok(Ok(output)) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            Ok(Ok(output)) => Err(said(&output.stderr)),
        }
    }
}

/// The last of what podman says when something went wrong, which is what went wrong.
fn said(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it does not say why");
    last.trim().trim_start_matches("Error: ").to_owned()
}
