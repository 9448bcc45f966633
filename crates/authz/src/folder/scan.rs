//! Which files there are.
use crate::problem::Problem;
use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Deeper folders are a mistake.
const MAX_DEPTH: usize = 16;

/// What tells one content of a file from another without reading it. Change times are of the kernel's making, so a
/// tool that sets modification times back does not hide a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Print {
    size: u64,
    inode: (u64, u64),
    modified: (i64, i64),
    /// In seconds and nanoseconds since the epoch.
    pub(super) changed: (i64, i64),
}

/// One look at the folder.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) found: BTreeMap<PathBuf, Print>,
    /// Files and folders that could not be looked at.
    pub(super) problems: Vec<Problem>,
}

pub(super) fn scan(root: &Path) -> Scan {
    let mut scan = Scan::default();
    scan.folder(root, 0);
    scan
}

impl Scan {
    /// Why this path could not be looked at.
    pub(super) fn problem(&self, path: &Path) -> Option<&Problem> {
        self.problems.iter().find(|problem| path.starts_with(&problem.path))
    }

    fn folder(&mut self, folder: &Path, depth: usize) {
        if depth > MAX_DEPTH {
            return self.wrong(folder, format!("folders are nested deeper than {MAX_DEPTH}; move it up"));
        }
        let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
        let entries = match entries {
            Ok(entries) => entries,
            // A folder that went away between its parent's listing and now took its files along.
            Err(error) if error.kind() == io::ErrorKind::NotFound && depth > 0 => return,
            Err(error) => return self.wrong(folder, format!("the folder cannot be read: {error}")),
        };
        for entry in entries {
            // Names like `..data` are how mounted ConfigMaps keep their generations: the files beside link into them.
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                match entry.file_type() {
                    Ok(kind) => self.entry(&entry.path(), kind, depth),
                    Err(error) => self.wrong(&entry.path(), format!("it cannot be looked at: {error}")),
                }
            }
        }
    }

    fn entry(&mut self, path: &Path, kind: fs::FileType, depth: usize) {
        let is_manifest = path
            .extension()
            .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known)));
        if kind.is_dir() {
            return self.folder(path, depth + 1);
        }
        match fs::metadata(path) {
            Ok(file) if file.is_file() && is_manifest => {
                self.found.insert(path.to_owned(), Print::new(&file));
            }
            Ok(target) if target.is_dir() => {
                self.wrong(path, "links to folders are not followed; link the files, or move the folder here".into());
            }
            Ok(file) if is_manifest && !file.is_file() => self.wrong(path, "it is not a regular file".into()),
            // A file that went away since the folder was listed. A link that leads nowhere is still there.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !kind.is_symlink() => {}
            Err(error) if is_manifest => self.wrong(path, format!("it cannot be looked at: {error}")),
            Ok(_) | Err(_) => {}
        }
    }

    fn wrong(&mut self, path: &Path, what: String) {
        self.problems.push(Problem { path: path.to_owned(), place: None, what });
    }
}

impl Print {
    fn new(file: &fs::Metadata) -> Self {
        Self {
            size: file.size(),
            inode: (file.dev(), file.ino()),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }
}
