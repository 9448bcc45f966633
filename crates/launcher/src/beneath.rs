//! Reading what a task left behind. A task can put links, devices and pipes anywhere in its folder, also in place of
//! folders that were there before, so every step down is opened without following links.
use nix::{
    fcntl::{OFlag, open, openat},
    sys::stat::{Mode, mkdirat},
};
use std::{
    fs::File,
    io::{self, Read},
    os::fd::OwnedFd,
    path::{Component, Path},
};

/// What is at a place, if anything.
#[derive(Debug)]
pub enum Found {
    Nothing,
    /// Open for reading, from its beginning.
    File(File),
    Folder,
    /// A link, a pipe, a device or a socket, there or on the way there.
    Strange,
}

/// Looks at `path` below `root`, which is a folder of ours. Never waits for a pipe, never leaves `root`.
///
/// # Errors
/// If `root` is not there, and of the system.
pub fn look(root: &Path, path: &Path) -> io::Result<Found> {
    let folder = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let any = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let mut at: OwnedFd = open(root, folder, Mode::empty())?;
    let mut names = path.components().peekable();
    while let Some(component) = names.next() {
        let Component::Normal(name) = component else { return Ok(Found::Strange) };
        let last = names.peek().is_none();
        at = match openat(&at, name, if last { any } else { folder }, Mode::empty()) {
            Ok(opened) => opened,
            Err(nix::Error::ENOENT) => return Ok(Found::Nothing),
            // Links give the first two, sockets and devices without a driver the third.
            Err(nix::Error::ELOOP | nix::Error::ENOTDIR | nix::Error::ENXIO | nix::Error::EACCES) => {
                return Ok(Found::Strange);
            }
            Err(other) => return Err(other.into()),
        };
    }
    let file = File::from(at);
    let kind = file.metadata()?.file_type();
    Ok(match (kind.is_file(), kind.is_dir()) {
        (true, _) => Found::File(file),
        (_, true) => Found::Folder,
        _ => Found::Strange,
    })
}

/// Makes a file below `root`, and the folders on the way to it, without following a link.
///
/// # Errors
/// Also if something is there already.
pub fn create(root: &Path, path: &Path) -> io::Result<File> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let folder = create_folder(root, path.parent().unwrap_or(Path::new("")))?;
    let new = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    Ok(File::from(openat(&folder, name, new, Mode::S_IRUSR | Mode::S_IWUSR)?))
}

/// Makes a folder below `root`, and the folders on the way to it, without following a link. It may be there already.
///
/// # Errors
/// Also if something else is there.
pub fn create_folder(root: &Path, path: &Path) -> io::Result<OwnedFd> {
    let folder = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut at: OwnedFd = open(root, folder, Mode::empty())?;
    for component in path.components() {
        let Component::Normal(name) = component else { return Err(io::ErrorKind::InvalidInput.into()) };
        match mkdirat(&at, name, Mode::S_IRWXU) {
            Ok(()) | Err(nix::Error::EEXIST) => {}
            Err(other) => return Err(other.into()),
        }
        at = openat(&at, name, folder, Mode::empty())?;
    }
    Ok(at)
}

/// Reads a file that should be short; none if it is longer.
pub(crate) fn read(file: File, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= most))
}
