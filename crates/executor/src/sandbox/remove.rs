//! Removing what a task has written.
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::{Confinement, Sandbox};

/// Folders may have been made unreadable; `rm` follows no link, and no depth is too deep for it.
const SCRIPT: &str = r#"chmod -R u+rwX -- "$1" 2>/dev/null; rm -rf -- "$1""#;

impl Sandbox {
    /// Removes a file or folder with all that is in it. What is not there is removed already.
    ///
    /// Tenants' code made these names, links and depths, so a process in the sandbox takes them apart: it has no
    /// rights but on the parent of `path`, which no running task may have for writing.
    pub async fn remove(&self, path: &Path) -> io::Result<()> {
        let (Some(parent), Some(name)) = (path.parent(), path.to_str()) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{} is no path to remove", path.display()),
            ));
        };
        if path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(());
        }
        let argv = ["sh", "-c", SCRIPT, "sh", name].map(str::to_owned).to_vec();
        let mut confinement = Confinement::new(argv, "/".into(), "/dev/null".into());
        confinement.env = BTreeMap::from([("PATH".into(), "/usr/bin:/bin".into())]);
        confinement.read_write = vec![parent.to_owned()];
        let exit = self.start(confinement).await?.wait().await;
        if exit.success() { Ok(()) } else { Err(io::Error::other(format!("removing {name} {exit}"))) }
    }
}
