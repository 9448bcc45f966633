//! A walk over what tenants' tasks have written, some of which may be writing still: no link is followed, nor one that
//! takes the place of a folder meanwhile.
use std::{
    fs::{self, File, OpenOptions},
    io,
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// Folders of folders that are looked into; deeper ones are made to hide something.
const DEEPEST: usize = 200;

/// What may be made again whenever it is wanted.
const ENVIRONMENTS: &str = "envs";

pub(super) enum Found {
    Folder,
    File(File),
}

/// Shows every folder and file below `root`, folders before what is in them, under the name that `root` is to have.
/// Returns how many things were neither, or could not be read.
///
/// # Errors
/// Of `each`, and if `root` cannot be read.
pub(super) fn walk(root: &Path, name: &Path, each: &mut impl FnMut(&Path, Found) -> io::Result<()>) -> io::Result<u64> {
    folder(&open(root, libc::O_DIRECTORY)?, name, 0, each)
}

fn folder(
    at: &File,
    name: &Path,
    depth: usize,
    each: &mut impl FnMut(&Path, Found) -> io::Result<()>,
) -> io::Result<u64> {
    each(name, Found::Folder)?;
    // The way leads over the descriptor: whatever has its name now, this is the folder that was opened.
    let here = PathBuf::from(format!("/proc/self/fd/{}", at.as_raw_fd()));
    let mut left_out = 0;
    for entry in fs::read_dir(&here)? {
        let entry = entry?;
        let (path, name) = (here.join(entry.file_name()), name.join(entry.file_name()));
        // ns/NAMESPACE/envs
        if depth == 1 && entry.file_name() == ENVIRONMENTS {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < DEEPEST {
            match open(&path, libc::O_DIRECTORY) {
                Ok(below) => left_out += folder(&below, &name, depth + 1, each)?,
                Err(_) => left_out += 1,
            }
        } else if kind.is_file() {
            match open(&path, libc::O_NONBLOCK).and_then(|file| Ok((file.metadata()?.is_file(), file))) {
                Ok((true, file)) => each(&name, Found::File(file))?,
                _ => left_out += 1,
            }
        } else {
            left_out += 1;
        }
    }
    Ok(left_out)
}

fn open(path: &Path, flags: i32) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | flags).open(path)
}
