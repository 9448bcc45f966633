//! A container from its beginning to its end, as its supervisor has it.
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use nix::sys::signal::SigSet;
use serde::Deserialize;

use super::{Container, arguments, said};
use crate::process::{Exit, oom_kills};
use crate::sandbox::Confinement;

/// Runs the task in its container, which `stands` hears of with the folders that the container itself writes to.
///
/// This is the last stage of a sandbox, outside of it: it has the rights of the server, and the task none of them.
///
/// # Errors
///
/// Why there is no container, or no such program in it.
pub(crate) fn run(
    container: &Container,
    confinement: &Confinement,
    stands: impl FnOnce(Vec<PathBuf>) -> Result<(), String>,
) -> Result<Exit, String> {
    let created = container.podman(&arguments::create(container, confinement)?).output();
    done("its container could not be made", created)?;
    stands(container.writes())?;
    let before = oom_kills();
    // What the task writes goes where this process's output goes: to the supervisor.
    let attached = container.podman(&["start", "--attach", &container.name]).stdin(Stdio::null()).status();
    let attached = attached.map_err(|error| format!("podman could not be started: {error}"))?;
    let state = container.state()?;
    if state.status == "created" || state.status == "configured" {
        return Err("its container did not start".to_owned());
    }
    if state.running {
        return Ok(Exit::Lost(format!("podman let go of it ({attached})")));
    }
    let killed = state.exit_code == KILLED;
    if killed && (state.oom_killed || confinement.limits.memory.is_some() && oom_kills() > before) {
        return Ok(Exit::OutOfMemory { limit: confinement.limits.memory });
    }
    Ok(match state.exit_code {
        // What a container's runtime, like a shell, reports of a signal.
        code @ 129..=192 => Exit::Signal(code - 128),
        code => Exit::Code(code),
    })
}

/// The exit code of a container whose first process was killed.
const KILLED: i32 = 128 + libc::SIGKILL;

/// Asks the task to end (SIGTERM), without waiting for it.
pub(crate) fn terminate(container: &Container) {
    // The supervisor reaps it with all its other children. If podman cannot be started, the task is killed in the end.
    let _ = container
        .podman(&["kill", "--signal", "TERM", &container.name])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
}

/// Kills the container with all that is in it, and removes it.
pub(crate) fn remove(container: &Container) {
    // What stays because of an error, the next start of the server sweeps away.
    let _ = container.podman(&["rm", "--force", "--ignore", "--volumes", "--time", "0", &container.name]).output();
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    status: String,
    running: bool,
    #[serde(rename = "OOMKilled", default)]
    oom_killed: bool,
    exit_code: i32,
}

impl Container {
    fn podman<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(&self.engine.program);
        command.args(arguments).env_clear().envs(&self.engine.env).current_dir("/");
        // SAFETY: this process has one thread, and changing a signal mask takes no lock.
        unsafe {
            // The supervisor takes its signals from a descriptor; podman is to be hit by them.
            command.pre_exec(|| Ok(SigSet::empty().thread_set_mask()?));
        }
        command
    }

    fn state(&self) -> Result<State, String> {
        let told = self.podman(&["inspect", "--type", "container", "--format", "{{json .State}}", &self.name]).output();
        let told = done("its container is gone", told)?;
        serde_json::from_slice(&told).map_err(|error| format!("what podman says of it cannot be read: {error}"))
    }

    /// Where on this host lies what the task writes to its image's own folders, if podman says so.
    fn writes(&self) -> Vec<PathBuf> {
        let format = "{{with .GraphDriver.Data.UpperDir}}{{.}}{{end}}";
        let told = self.podman(&["inspect", "--type", "container", "--format", format, &self.name]).output();
        let told = done("", told).unwrap_or_default();
        let path = PathBuf::from(String::from_utf8_lossy(&told).trim());
        Some(path).filter(|path| path.is_dir()).into_iter().collect()
    }
}

/// What a call of podman's has put out.
fn done(doing: &str, output: std::io::Result<Output>) -> Result<Vec<u8>, String> {
    match output {
        Ok(output) if output.status.success() => Ok(output.stdout),
        Ok(output) => Err(format!("{doing}: {}", said(&output.stderr))),
        Err(error) => Err(format!("{doing}: podman could not be started: {error}")),
    }
}
