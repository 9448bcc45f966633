//! What a task has written: a walk over its folders that goes a step at a time, so that whoever takes it does other
//! things in between, however many files a task makes.
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, ReadDir};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use nix::unistd::Pid;

/// The least that a file counts for, since a name and an inode take room even where no content does.
const LEAST: u64 = 512;

/// A walk, from the roots to the last file; then from the roots again.
pub(super) struct Disk {
    roots: Vec<PathBuf>,
    pending: Vec<Folder>,
    listing: Option<(Rc<File>, ReadDir)>,
    linked: HashSet<(u64, u64)>,
    written: u64,
}

enum Folder {
    Root(PathBuf),
    Within(Rc<File>, std::ffi::OsString),
}

impl Disk {
    pub(super) fn new(roots: Vec<PathBuf>) -> Self {
        Self { roots, pending: Vec::new(), listing: None, linked: HashSet::new(), written: 0 }
    }

    /// Adds roots, and begins anew.
    pub(super) fn also(&mut self, roots: Vec<PathBuf>) {
        self.roots.extend(roots);
        self.restart();
    }

    /// Begins a walk.
    pub(super) fn restart(&mut self) {
        *self = Self::new(std::mem::take(&mut self.roots));
        self.pending = self.roots.iter().cloned().map(Folder::Root).collect();
    }

    /// Goes on until `end`, or until all was seen, which the answer tells.
    pub(super) fn step(&mut self, end: Instant) -> bool {
        loop {
            let Some((folder, listing)) = self.listing.as_mut() else {
                let Some(next) = self.pending.pop() else { return true };
                self.listing = self.open(next);
                continue;
            };
            match listing.next() {
                None | Some(Err(_)) => self.listing = None,
                Some(Ok(entry)) => {
                    let folder = folder.clone();
                    // What is removed meanwhile is no longer there to count. A link is not followed.
                    if let Ok(metadata) = entry.metadata() {
                        self.count(&metadata);
                        if metadata.is_dir() {
                            self.pending.push(Folder::Within(folder, entry.file_name()));
                        }
                    }
                }
            }
            if Instant::now() >= end {
                return false;
            }
        }
    }

    /// The bytes on disk that the walk has met so far.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// The bytes of files that these processes hold open though no name is left of them.
    pub(super) fn nameless(&self, processes: &[Pid]) -> u64 {
        let devices: HashSet<u64> =
            self.roots.iter().filter_map(|root| fs::metadata(root).ok()).map(|root| root.dev()).collect();
        let open = processes.iter().flat_map(|pid| fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten());
        let files = open.flatten().filter_map(|open| fs::metadata(open.path()).ok());
        let nameless = files.filter(|file| file.is_file() && file.nlink() == 0 && devices.contains(&file.dev()));
        let each: std::collections::HashMap<_, _> =
            nameless.map(|file| ((file.dev(), file.ino()), file.blocks() * 512)).collect();
        each.values().sum()
    }

    fn count(&mut self, file: &fs::Metadata) {
        // Each name of a file is met, and its content is there once.
        if !file.is_dir() && file.nlink() > 1 && !self.linked.insert((file.dev(), file.ino())) {
            return;
        }
        self.written += (file.blocks() * 512).max(LEAST);
    }

    /// The way leads over a descriptor of the folder above, so that a task which puts a link in the place of a folder
    /// does not send the walk elsewhere.
    fn open(&mut self, folder: Folder) -> Option<(Rc<File>, ReadDir)> {
        let path = match &folder {
            Folder::Root(path) => path.clone(),
            Folder::Within(above, name) => PathBuf::from(format!("/proc/self/fd/{}", above.as_raw_fd())).join(name),
        };
        let opened = OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW).open(path);
        let listed = opened.and_then(|folder| {
            let listing = fs::read_dir(format!("/proc/self/fd/{}", folder.as_raw_fd()))?;
            Ok((Rc::new(folder), listing))
        });
        if listed.as_ref().is_err_and(|error: &io::Error| error.raw_os_error() == Some(libc::EMFILE)) {
            // Folders nested like this are made to hide something.
            self.written = u64::MAX / 2;
        }
        listed.ok()
    }
}
