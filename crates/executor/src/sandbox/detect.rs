//! Which sandbox works on this host: found out by running something in it.
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::{Confinement, Kind, Sandbox, landlock};
use crate::process::Exit;

/// What the operator wants tasks to be confined by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// bwrap where it works, else Landlock.
    #[default]
    Auto,
    Bwrap,
    Landlock,
    /// Nothing, which multi-user mode refuses.
    None,
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Choice::Auto),
            "bwrap" => Ok(Choice::Bwrap),
            "landlock" => Ok(Choice::Landlock),
            "none" => Ok(Choice::None),
            _ => Err(format!("{text:?} is no sandbox: auto, bwrap, landlock or none")),
        }
    }
}

/// No sandbox works: what was tried, why each failed, and what would help.
#[derive(Clone, Debug, thiserror::Error)]
pub struct Unavailable {
    tried: Vec<String>,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no sandbox works here, so no task can run. {}. ", self.tried.join(". "))?;
        f.write_str(
            "Install bubblewrap (package \"bubblewrap\", program \"bwrap\") and allow user namespaces, or run on \
             Linux 6.12 or later with Landlock enabled (\"landlock\" in the kernel's lsm= list)",
        )
    }
}

/// Finds a sandbox that works by running `true` in it. `supervisor` is the program whose subcommand `supervise` calls
/// [`crate::process::supervise`]: the server's own.
///
/// In single-user mode, where all code is the user's own, [`Choice::Auto`] settles for [`Kind::Nothing`] and says so in
/// the log.
///
/// # Errors
///
/// Nothing that was asked for works, or multi-user mode was to do without.
pub async fn detect(choice: Choice, multi_user: bool, supervisor: &Path) -> Result<Sandbox, Unavailable> {
    if choice == Choice::None && multi_user {
        return Err(Unavailable {
            tried: vec!["Running without one was asked for, which is for single-user mode".into()],
        });
    }
    let mut tried = Vec::new();
    for candidate in candidates(choice) {
        let (name, kind) = match candidate {
            Ok(kind) => (kind.to_string(), kind),
            Err(why) => {
                tried.push(why);
                continue;
            }
        };
        let sandbox = Sandbox { kind, supervisor: supervisor.to_owned() };
        match probe(&sandbox).await {
            Ok(()) => return Ok(chosen(sandbox)),
            Err(why) => tried.push(format!("{name} does not work: {why}")),
        }
    }
    if choice == Choice::Auto && !multi_user {
        let why = Unavailable { tried }.to_string();
        tracing::warn!(sandbox.tried = why, "tasks run without a sandbox: they can do what this user can");
        return Ok(Sandbox { kind: Kind::Nothing, supervisor: supervisor.to_owned() });
    }
    Err(Unavailable { tried })
}

fn chosen(sandbox: Sandbox) -> Sandbox {
    tracing::info!(sandbox.kind = %sandbox.kind, "tasks run in a sandbox");
    if nix::unistd::geteuid().is_root() && sandbox.kind != Kind::Nothing {
        tracing::warn!(
            "the server is root: the kernel's limit on processes does not bind its tasks; run it as an ordinary user"
        );
    }
    sandbox
}

fn candidates(choice: Choice) -> Vec<Result<Kind, String>> {
    let bwrap = || match find("bwrap") {
        Some(path) => {
            let with = |user_namespace| Ok(Kind::Bwrap { path: path.clone(), user_namespace });
            vec![with(true), with(false)]
        }
        None => vec![Err("bwrap is not installed".to_owned())],
    };
    let landlock = || match landlock::version() {
        0 => Err("The kernel has no Landlock, or has it switched off".to_owned()),
        _ => Ok(Kind::Landlock),
    };
    match choice {
        Choice::Auto => bwrap().into_iter().chain([landlock()]).collect(),
        Choice::Bwrap => bwrap(),
        Choice::Landlock => vec![landlock()],
        Choice::None => vec![Ok(Kind::Nothing)],
    }
}

/// A program in the server's own PATH, with every link followed.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut found =
        std::env::split_paths(&path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(program));
    found.find_map(|file| file.canonicalize().ok().filter(|file| file.is_file()))
}

async fn probe(sandbox: &Sandbox) -> Result<(), String> {
    let mut confinement = Confinement::new(vec!["true".into()], "/".into(), "/dev/null".into());
    confinement.env = BTreeMap::from([("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())]);
    confinement.timeout = Some(Duration::from_secs(30));
    let mut task = sandbox.start(confinement).await.map_err(|error| error.to_string())?;
    match task.wait().await {
        Exit::Code(0) => Ok(()),
        exit => Err(format!("a first task {exit}")),
    }
}
