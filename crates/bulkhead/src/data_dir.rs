//! The data folder: the database, and a folder for the files of tenants.
use anyhow::{Context, bail};
use nix::sys::stat::{Mode, umask};
use std::{
    fs::{self, DirBuilder, File, Permissions},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// The database file of a data folder.
pub(crate) fn database(data_dir: &Path) -> PathBuf {
    data_dir.join("bulkhead.db")
}

/// The folder of tenants' files.
pub(crate) fn tenants(data_dir: &Path) -> PathBuf {
    data_dir.join("ns")
}

/// Makes what is not there yet, for its owner's eyes only. Returns the database file.
///
/// # Errors
/// If a folder cannot be made.
pub(crate) fn make(data_dir: &Path) -> anyhow::Result<PathBuf> {
    // The database and what belongs to it are made by libraries: nothing of theirs is for others to read either.
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    let tenants = tenants(data_dir);
    for folder in [data_dir, &tenants] {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let mode = fs::metadata(data_dir).map_or(0, |data| data.permissions().mode());
    if mode & 0o077 != 0 {
        fs::set_permissions(data_dir, Permissions::from_mode(mode & !0o077))
            .with_context(|| format!("{} is open to others and cannot be closed", data_dir.display()))?;
    }
    Ok(database(data_dir))
}

/// Keeps other servers out: two on one folder would drive the same runs. Held until the file is dropped.
///
/// # Errors
/// If another server has it.
pub(crate) fn lock(data_dir: &Path) -> anyhow::Result<File> {
    let path = data_dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => {
            bail!("another server uses the data folder {}; give this one its own with --data-dir", data_dir.display())
        }
        Err(fs::TryLockError::Error(error)) => Err(error).context("the data folder's lock"),
    }
}

/// What tells this data folder from all others, wherever it is.
///
/// # Errors
/// If it can be neither read nor made.
pub(crate) fn id(data_dir: &Path) -> anyhow::Result<String> {
    let path = data_dir.join("id");
    if !path.exists() {
        fs::write(&path, Uuid::new_v4().to_string()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let id = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let id = id.trim().parse::<Uuid>().with_context(|| format!("{} holds no id", path.display()))?;
    Ok(id.to_string())
}
