//! `bulkhead backup` and `bulkhead restore`: a data folder in one file.
//!
//! A backup is a compressed tar archive: what it is, the database as of one moment, and after it the files of runs, so
//! that each file which the database speaks of is there unless it was deleted meanwhile. Python environments are left
//! out, since they are made again when they are wanted.
mod restore;
mod walk;

pub(crate) use restore::{RestoreArgs, restore};

use crate::data_dir;
use anyhow::{Context, bail};
use clap::Args;
use domain::{Clock, SystemClock};
use flate2::{Compression, write::GzEncoder};
use nix::sys::stat::{Mode, umask};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};
use tar::{Builder, EntryType, Header};

/// The first entry, which says what the rest is.
const ABOUT: &str = "bulkhead-backup.json";
/// The second one.
const DATABASE: &str = "bulkhead.db";
/// Where the files of runs are.
const TENANTS: &str = "ns";
/// What an archive of another kind has another number for.
const FORMAT: u32 = 1;

#[derive(Args, Debug)]
pub(crate) struct BackupArgs {
    /// The file to write, such as bulkhead-2026-01-31.tar.gz. It must not be there yet.
    file: PathBuf,
    /// The data folder. A server may be using it.
    #[arg(long, value_name = "DIR", default_value = "data", env = "BULKHEAD_DATA_DIR")]
    data_dir: PathBuf,
    /// Leave out logs and artifacts.
    #[arg(long)]
    database_only: bool,
}

#[derive(Debug, Deserialize, Serialize)]
struct About {
    format: u32,
    version: String,
    created_at: String,
    /// Artifacts are known by their places.
    data_dir: PathBuf,
    files: bool,
}

/// Writes a backup, for its owner's eyes only.
///
/// # Errors
/// There is no data folder, no room, or the file is there already. Nothing is left of it then.
pub(crate) fn backup(args: &BackupArgs) -> anyhow::Result<()> {
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    let data_dir =
        args.data_dir.canonicalize().with_context(|| format!("no data folder {}", args.data_dir.display()))?;
    if args.file.exists() {
        bail!("{} is there already; a backup does not overwrite", args.file.display());
    }
    let name = args.file.file_name().context("a backup needs the name of a file")?.to_string_lossy();
    let beside = args.file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let scratch = tempfile::Builder::new().prefix(&format!(".{name}.")).tempdir_in(beside);
    let scratch = scratch.with_context(|| format!("cannot write to {}", beside.display()))?;
    let partial = scratch.path().join("archive");
    let left_out = write(args, &data_dir, scratch.path(), &partial)?;
    fs::rename(&partial, &args.file).with_context(|| format!("cannot write {}", args.file.display()))?;
    let size = fs::metadata(&args.file).map_or(0, |file| file.len());
    println!("{}: {size} bytes", args.file.display());
    if left_out > 0 {
        println!("{left_out} links and other things that are no files, or could not be read, were left out");
    }
    Ok(())
}

/// Returns how much could not be taken in.
fn write(args: &BackupArgs, data_dir: &Path, scratch: &Path, to: &Path) -> anyhow::Result<u64> {
    let snapshot = scratch.join(DATABASE);
    let database = data_dir::database(data_dir);
    store::snapshot(&database, &snapshot).with_context(|| format!("the database {}", database.display()))?;
    let file = File::create_new(to).with_context(|| format!("cannot write {}", to.display()))?;
    let mut archive = Builder::new(GzEncoder::new(BufWriter::new(file), Compression::fast()));
    let about = About {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        created_at: SystemClock.now().to_string(),
        data_dir: data_dir.to_owned(),
        files: !args.database_only,
    };
    let about = serde_json::to_vec(&about)?;
    add(&mut archive, Path::new(ABOUT), EntryType::Regular, about.len() as u64, about.as_slice())?;
    let snapshot = File::open(&snapshot)?;
    add(&mut archive, Path::new(DATABASE), EntryType::Regular, snapshot.metadata()?.len(), snapshot)?;
    let mut left_out = 0;
    if !args.database_only {
        left_out = walk::walk(&data_dir::tenants(data_dir), Path::new(TENANTS), &mut |path, found| match found {
            walk::Found::Folder => add(&mut archive, path, EntryType::Directory, 0, io::empty()),
            walk::Found::File(file) => {
                let size = file.metadata()?.len();
                add(&mut archive, path, EntryType::Regular, size, file)
            }
        })?;
    }
    let file = archive.into_inner()?.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(left_out)
}

/// What is read of a file that grows is what it was when it was met; one that shrinks meanwhile ends in zeros.
fn add<W: Write>(
    archive: &mut Builder<W>,
    path: &Path,
    kind: EntryType,
    size: u64,
    content: impl Read,
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(if kind == EntryType::Directory { 0o700 } else { 0o600 });
    archive.append_data(&mut header, path, content.take(size).chain(io::repeat(0)).take(size))
}
