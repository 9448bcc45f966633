//! Events as lines of JSON, in a file or on standard output.
use super::event::Event;
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How often it is looked whether the file was moved away to begin a new one.
const LOOK: Duration = Duration::from_secs(1);

/// Where the lines go.
pub(super) struct Lines(Mutex<State>);

struct State {
    to: To,
    /// Whether the last line was written in part, as happens when a disk fills up.
    torn: bool,
}

enum To {
    Stdout(io::Stdout),
    File { path: PathBuf, file: File, looked: Instant },
}

impl Lines {
    pub(super) fn stdout() -> Self {
        Self(Mutex::new(State { to: To::Stdout(io::stdout()), torn: false }))
    }

    /// # Errors
    /// If the file cannot be opened to append to it.
    pub(super) fn file(path: &Path) -> io::Result<Self> {
        let to = To::File { path: path.to_owned(), file: open(path)?, looked: Instant::now() };
        Ok(Self(Mutex::new(State { to, torn: false })))
    }

    /// Writes one line. It is with the operating system when this returns.
    pub(super) fn write(&self, event: &Event<'_>) -> io::Result<()> {
        let mut line = serde_json::to_vec(event)?;
        line.push(b'\n');
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(&line)
    }
}

impl State {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        self.to.look()?;
        let to: &mut dyn Write = match &mut self.to {
            To::Stdout(stdout) => stdout,
            To::File { file, .. } => file,
        };
        if self.torn {
            to.write_all(b"\n")?;
            self.torn = false;
        }
        self.torn = true;
        to.write_all(line)?;
        to.flush()?;
        self.torn = false;
        Ok(())
    }
}

impl To {
    /// Opens the file anew if it is another than the one that has its name.
    fn look(&mut self) -> io::Result<()> {
        let To::File { path, file, looked } = self else { return Ok(()) };
        if looked.elapsed() < LOOK {
            return Ok(());
        }
        *looked = Instant::now();
        let is_same = |there: &std::fs::Metadata, ours: &std::fs::Metadata| {
            (there.dev(), there.ino()) == (ours.dev(), ours.ino())
        };
        match std::fs::metadata(&*path) {
            Ok(there) if is_same(&there, &file.metadata()?) => {}
            _ => *file = open(path)?,
        }
        Ok(())
    }
}

/// Only the server's own user may read what was decided about everybody.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}
