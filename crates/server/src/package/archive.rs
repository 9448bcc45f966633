//! Archives with a pipeline in them. Nothing that an archive says of its own sizes is believed.
use super::{MAX_PACKAGE, is_text};
use domain::{Error, Result};
use flate2::read::GzDecoder;
use std::{
    fmt::Display,
    io::{self, Cursor, Read},
};
use tar::EntryType;
use zip::ZipArchive;

/// The entry that counts, wherever it is; without it, the first one does.
const ENTRY: &str = "pipeline.yaml";
/// The most entries of an archive.
const MAX_ENTRIES: usize = 1000;
/// The most that a tar archive may have uncompressed, in bytes: what precedes the entry is unpacked to find it.
const MAX_UNPACKED: usize = 64 << 20;
/// What each entry of a zip archive's directory begins with.
const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";

/// The pipeline of a zip archive.
///
/// # Errors
/// `InvalidArgument` if there is none, or the archive is broken or too large.
pub(super) fn zip(content: Vec<u8>) -> Result<Vec<u8>> {
    let broken = |why: &dyn Display| Error::invalid(format!("the zip archive cannot be read: {why}"));
    // Its reader takes the whole directory into memory, so entries are counted before.
    if content.windows(DIRECTORY_ENTRY.len()).filter(|bytes| *bytes == DIRECTORY_ENTRY).count() > MAX_ENTRIES {
        return Err(too_many("zip"));
    }
    let mut archive = ZipArchive::new(Cursor::new(content)).map_err(|error| broken(&error))?;
    let index = archive.index_for_name(ENTRY).unwrap_or(0);
    if archive.is_empty() {
        return Err(Error::invalid("the zip archive is empty"));
    }
    let entry = archive.by_index(index).map_err(|error| broken(&error))?;
    let name = entry.name().map_err(|error| broken(&error))?.into_owned();
    check_name(&name)?;
    text(entry, &name).map_err(|error| broken(&error))
}

/// The pipeline of a tar archive that gzip has compressed.
///
/// # Errors
/// As for `zip`.
pub(super) fn tar_gz(content: &[u8]) -> Result<Vec<u8>> {
    let broken = |why: &dyn Display| Error::invalid(format!("the tar.gz archive cannot be read: {why}"));
    // One member of gzip, as every tool writes: millions of empty ones would cost time and give nothing to count.
    let unpacked = Bounded { inner: GzDecoder::new(content), left: MAX_UNPACKED, what: "the archive" };
    let mut archive = tar::Archive::new(unpacked);
    let mut first: Option<(String, Vec<u8>)> = None;
    for (index, entry) in archive.entries().map_err(|error| broken(&error))?.enumerate() {
        let entry = entry.map_err(|error| broken(&error))?;
        if index == MAX_ENTRIES {
            return Err(too_many("tar.gz"));
        }
        if !matches!(entry.header().entry_type(), EntryType::Regular | EntryType::Continuous) {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
        if name == ENTRY {
            return text(entry, ENTRY).map_err(|error| broken(&error));
        }
        if first.is_none() {
            // One that is no text is kept by name alone: the entry that counts may still come.
            let content = if is_text(&name) { text(entry, &name).map_err(|error| broken(&error))? } else { Vec::new() };
            first = Some((name, content));
        }
    }
    let (name, content) = first.ok_or_else(|| Error::invalid("the tar.gz archive has no file"))?;
    check_name(&name)?;
    Ok(content)
}

fn check_name(name: &str) -> Result<()> {
    if is_text(name) {
        return Ok(());
    }
    let name: String = name.chars().take(100).collect();
    Err(Error::invalid(format!(
        "the archive has no {ENTRY}, and its first entry {name:?} is not a .yaml or .yml file either"
    )))
}

fn text(entry: impl Read, name: &str) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    Bounded { inner: entry, left: MAX_PACKAGE, what: name }.read_to_end(&mut content)?;
    Ok(content)
}

fn too_many(what: &str) -> Error {
    Error::invalid(format!("the {what} archive has more than {MAX_ENTRIES} entries"))
}

/// A reader that fails when more comes than is allowed. A plain `take` would end, and the cut would be taken for the
/// end of the text.
struct Bounded<'a, R> {
    inner: R,
    left: usize,
    what: &'a str,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(format!("{} unpacks to more than is allowed", self.what))),
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
