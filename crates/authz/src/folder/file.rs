//! One file: what it says, and what of it counts.
use super::scan::Print;
use crate::{
    manifests::{self, Objects},
    problem::Problem,
};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{self, Read},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// The largest file that is read, in bytes. 10,000 profiles in one List take a third of it.
const MAX_BYTES: u64 = 16 << 20;
/// How long after a change a file may change again without its times showing it, to be on the safe side.
const COARSE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct File {
    /// How it looked when it was read; `None` to read it again in any case.
    print: Option<Print>,
    digest: Option<[u8; 32]>,
    /// What it says by itself, before it is compared with others.
    pub(super) says: Result<Arc<Objects>, Vec<Problem>>,
    /// What it last said that could be used.
    pub(super) accepted: Option<Arc<Objects>>,
    /// Why what it says is not accepted although it is good by itself.
    pub(super) clash: Option<Problem>,
    /// Since when it cannot be used.
    pub(super) failed_since: Option<Instant>,
    /// What is left of the accepted objects once they are too old.
    stale: Option<Objects>,
}

impl Default for File {
    fn default() -> Self {
        let says = Err(Vec::new());
        Self { print: None, digest: None, says, accepted: None, clash: None, failed_since: None, stale: None }
    }
}

impl File {
    /// Reads the file if it looks different from before. Returns whether it says something else now.
    pub(super) fn update(&mut self, path: &Path, print: Print) -> bool {
        if self.print == Some(print) {
            return false;
        }
        let read_at = SystemTime::now();
        let bytes = read(path);
        self.print = is_settled(print, read_at).then_some(print);
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => {
                let what = format!("the file cannot be read: {error}");
                return self.unreachable(&Problem { path: path.to_owned(), place: None, what });
            }
        };
        let digest = Some(Sha256::digest(&bytes).into());
        if self.digest == digest {
            return false;
        }
        self.digest = digest;
        self.says = parse(path, &bytes).map(Arc::new);
        true
    }

    /// Notes that what the file says cannot be known. Returns whether that is news.
    pub(super) fn unreachable(&mut self, problem: &Problem) -> bool {
        (self.print, self.digest) = (None, None);
        if self.says.as_ref().is_err_and(|known| known.as_slice() == std::slice::from_ref(problem)) {
            return false;
        }
        self.says = Err(vec![problem.clone()]);
        true
    }

    /// Whether what it says is accepted already.
    pub(super) fn is_settled(&self) -> bool {
        matches!((&self.says, &self.accepted), (Ok(says), Some(accepted)) if Arc::ptr_eq(says, accepted))
    }

    /// Moves the file on in time. Returns whether another part of it counts now.
    pub(super) fn age(&mut self, now: Instant, stale_after: Duration) -> bool {
        let is_stale = self.failed_since.is_some_and(|since| now.duration_since(since) >= stale_after);
        if is_stale == self.stale.is_some() {
            return false;
        }
        let accepted = self.accepted.as_deref();
        self.stale = is_stale.then(|| accepted.map(Objects::withdrawn).unwrap_or_default());
        true
    }

    /// What counts of it.
    pub(super) fn counting(&self) -> Option<&Objects> {
        self.stale.as_ref().or(self.accepted.as_deref())
    }

    pub(super) fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.says.as_ref().err().into_iter().flatten().chain(&self.clash)
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other(format!("it is larger than {} MiB; split it", MAX_BYTES >> 20)));
    }
    Ok(bytes)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Objects, Vec<Problem>> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let what = format!("this is not UTF-8 at byte {}", error.valid_up_to());
        vec![Problem { path: path.to_owned(), place: None, what }]
    })?;
    manifests::read(path, text)
}

/// Whether the file, if it is written once more, is sure to look different. File systems keep times in ticks, so two
/// writes of the same size within one look alike.
fn is_settled(print: Print, read_at: SystemTime) -> bool {
    let (Ok(seconds), Ok(nanos)) = (u64::try_from(print.changed.0), u32::try_from(print.changed.1)) else {
        return true;
    };
    let changed = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos);
    read_at.duration_since(changed).is_ok_and(|age| age >= COARSE)
}
