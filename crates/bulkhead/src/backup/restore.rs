//! `bulkhead restore`: a data folder out of a backup.
use super::{ABOUT, About, DATABASE, FORMAT, TENANTS};
use anyhow::{Context, bail, ensure};
use clap::Args;
use flate2::read::GzDecoder;
use nix::sys::stat::{Mode, umask};
use std::{
    fs::{self, DirBuilder, File},
    io::{self, BufReader, Read},
    os::unix::fs::DirBuilderExt as _,
    path::{Component, Path, PathBuf},
};
use tar::{Archive, Entry, EntryType};

/// The most that the first entry may have, in bytes.
const MAX_ABOUT: u64 = 64 << 10;

#[derive(Args, Debug)]
pub(crate) struct RestoreArgs {
    /// What `bulkhead backup` has written.
    file: PathBuf,
    /// The data folder to make. It must not be there, or be empty.
    #[arg(long, value_name = "DIR", default_value = "data", env = "BULKHEAD_DATA_DIR")]
    data_dir: PathBuf,
    /// Restore to another folder than the backup was made of, although artifacts of its runs will not be found there.
    #[arg(long)]
    elsewhere: bool,
}

/// Makes a data folder of a backup: all of it, or nothing.
///
/// # Errors
/// What is there must not be overwritten, the backup is damaged or not one, or there is no room.
pub(crate) fn restore(args: &RestoreArgs) -> anyhow::Result<()> {
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    let file = File::open(&args.file).with_context(|| format!("cannot read {}", args.file.display()))?;
    if fs::read_dir(&args.data_dir).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty; a restore does not overwrite", args.data_dir.display());
    }
    let name = args.data_dir.file_name().context("the data folder needs a name")?.to_string_lossy();
    let parent = args.data_dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    let scratch = tempfile::Builder::new().prefix(&format!(".{name}.")).tempdir_in(parent);
    let scratch = scratch.with_context(|| format!("cannot write to {}", parent.display()))?;
    let data_dir = parent.canonicalize()?.join(name.as_ref());
    let (files, about) = unpack(file, scratch.path(), &data_dir, args.elsewhere)
        .with_context(|| format!("{} cannot be restored", args.file.display()))?;
    let database = scratch.path().join(DATABASE);
    if let Some(damage) = store::damage(&database).context("the database in the backup")? {
        bail!("the database in the backup is damaged: {damage}");
    }
    // A folder that is renamed takes the place of an empty one.
    fs::rename(scratch.keep(), &data_dir).with_context(|| format!("cannot make {}", data_dir.display()))?;
    println!("{}: {files} files, as of {}", args.data_dir.display(), about.created_at);
    Ok(())
}

fn unpack(file: File, into: &Path, data_dir: &Path, elsewhere: bool) -> anyhow::Result<(u64, About)> {
    let mut archive = Archive::new(GzDecoder::new(BufReader::new(file)));
    let mut entries = archive.entries()?;
    let first = entries.next().context("it is empty")?.context("it is no backup")?;
    ensure!(first.path()?.as_ref() == Path::new(ABOUT), "it is no backup: its first entry is not {ABOUT}");
    let about: About = serde_json::from_reader(first.take(MAX_ABOUT)).context(ABOUT)?;
    ensure!(about.format == FORMAT, "its format is {}, and this version reads {FORMAT}", about.format);
    if about.files && about.data_dir != data_dir && !elsewhere {
        bail!(
            "it was made of {}, and runs know their artifacts by their places: restore it there, or say --elsewhere",
            about.data_dir.display()
        );
    }
    let mut files = 0;
    for entry in entries {
        let mut entry = entry.context("it is damaged")?;
        let path = place(&entry)?;
        let kind = entry.header().entry_type();
        make(&mut entry, kind, &into.join(&path)).with_context(|| path.display().to_string())?;
        files += u64::from(kind == EntryType::Regular);
    }
    ensure!(into.join(DATABASE).is_file(), "it has no database");
    // The checksum of the whole comes after the last entry.
    io::copy(&mut archive.into_inner(), &mut io::sink()).context("it is damaged")?;
    Ok((files, about))
}

/// Where an entry goes: nowhere but below the data folder.
fn place(entry: &Entry<'_, impl Read>) -> anyhow::Result<PathBuf> {
    let path = entry.path()?.into_owned();
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    let ours = path == Path::new(DATABASE) || path.starts_with(TENANTS);
    ensure!(plain && ours, "{} does not belong into a data folder", path.display());
    Ok(path)
}

fn make(entry: &mut impl Read, kind: EntryType, path: &Path) -> anyhow::Result<()> {
    match kind {
        EntryType::Directory => DirBuilder::new().mode(0o700).create(path)?,
        EntryType::Regular => {
            let mut file = File::create_new(path)?;
            io::copy(entry, &mut file)?;
            file.sync_all()?;
        }
        _ => bail!("it is neither a file nor a folder"),
    }
    Ok(())
}
