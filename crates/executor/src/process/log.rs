//! The log of a task: a file that the supervisor holds and the task cannot reach, with an end.
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Enough of the first output to say why a sandbox did not come to stand.
const OPENING: usize = 4 << 10;

pub(super) struct Log {
    file: File,
    limit: u64,
    left: u64,
    opening: Vec<u8>,
}

impl Log {
    /// Opens the log for appending, or makes it, for the server's eyes only. A symbolic link is refused.
    pub(super) fn open(path: &Path, limit: u64) -> io::Result<Self> {
        let file =
            OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(libc::O_NOFOLLOW).open(path)?;
        let left = limit.saturating_sub(file.metadata()?.len());
        Ok(Self { file, limit, left, opening: Vec::new() })
    }

    /// Adds what the task wrote, as far as there is room. What does not fit, or cannot be written because the disk is
    /// full, is dropped: a task is never held up by its own log.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let room = OPENING.saturating_sub(self.opening.len()).min(bytes.len());
        self.opening.extend_from_slice(&bytes[..room]);
        if self.left == 0 {
            return;
        }
        let fits = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let _ = self.file.write_all(&bytes[..fits]);
        self.left -= fits as u64;
        if self.left == 0 {
            let _ = writeln!(self.file, "\n[The log ends here: it has reached its limit of {} bytes.]", self.limit);
        }
    }

    /// The first output, for an error message.
    pub(super) fn opening(&self) -> String {
        String::from_utf8_lossy(&self.opening).trim().to_owned()
    }
}
