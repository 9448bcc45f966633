//! The host's Python.
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::time::timeout;

use super::Error;
use crate::sandbox;

/// The Python that components run with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpreter {
    /// The program itself, not a shim that looks for it.
    pub executable: PathBuf,
    /// Where its packages are; differs from `base_prefix` in a virtual environment.
    pub prefix: PathBuf,
    /// Where its library is.
    pub base_prefix: PathBuf,
    /// Such as `cpython-311 3.11.7`.
    pub version: String,
    /// Whether environments on top of it find pip in it, and need none of their own, which takes seconds to set up.
    pub(super) pip: bool,
}

const ABOUT: &str = "import importlib.util, json, sys; print(json.dumps({'executable': sys.executable, 'prefix': sys.prefix, \
    'base_prefix': sys.base_prefix, 'version': sys.implementation.cache_tag + ' ' + sys.version.split()[0], \
    'pip': sys.prefix == sys.base_prefix and importlib.util.find_spec('pip') is not None}))";

/// A shim may look through many versions, but not for longer than this.
const PATIENCE: Duration = Duration::from_secs(30);

impl Interpreter {
    /// Asks the `python3` of the server's own PATH who it is: it may be a shim (pyenv), which tasks cannot run.
    pub async fn find() -> Result<Self, Error> {
        let mut command = Command::new("python3");
        command.args(["-I", "-c", ABOUT]).current_dir("/").stdin(Stdio::null()).kill_on_drop(true);
        let output = match timeout(PATIENCE, command.output()).await {
            Err(_) => return Err(Error::Interpreter("its python3 gives no answer".into())),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::Interpreter("there is no python3 in the server's PATH: install Python 3".into()));
            }
            Ok(Err(error)) => return Err(Error::Interpreter(format!("its python3 cannot be started: {error}"))),
            Ok(Ok(output)) => output,
        };
        serde_json::from_slice(&output.stdout).map_err(|_| {
            let said = String::from_utf8_lossy(&output.stderr);
            Error::Interpreter(format!("its python3 does not work ({}): {}", output.status, said.trim()))
        })
    }

    /// The folder of the program: for the front of a task's PATH.
    pub fn bin(&self) -> &Path {
        self.executable.parent().unwrap_or(Path::new("/usr/bin"))
    }

    /// What a sandbox must show beside the system's own folders for this Python to run.
    pub fn read_only(&self) -> Vec<PathBuf> {
        let mut paths = vec![self.prefix.clone(), self.base_prefix.clone()];
        // Links on the way to the program and its library, as a distribution's versions of it have.
        paths.extend([&self.executable, &self.base_prefix].iter().filter_map(|path| path.canonicalize().ok()));
        paths.retain(|path| !sandbox::shows(path));
        paths.sort_unstable();
        paths.dedup_by(|inner, outer| inner.starts_with(outer));
        paths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_shown() {
        let of = |executable: &str, prefix: &str, base_prefix: &str| {
            let python = Interpreter {
                executable: executable.into(),
                prefix: prefix.into(),
                base_prefix: base_prefix.into(),
                version: String::new(),
                pip: true,
            };
            python.read_only().iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        assert!(of("/usr/bin/python3", "/usr", "/usr").is_empty());
        assert_eq!(of("/opt/py/bin/python3", "/opt/py", "/opt/py"), ["/opt/py"]);
        assert_eq!(of("/home/me/venv/bin/python3", "/home/me/venv", "/usr"), ["/home/me/venv"]);
    }
}
