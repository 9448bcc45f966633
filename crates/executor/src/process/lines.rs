//! JSON documents, a line each, from a descriptor that is polled: nothing is read that nobody asked for.
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};

use serde::de::DeserializeOwned;

use super::protocol::Order;

/// The kernel takes about 2 MiB of arguments and environment; JSON may write a byte as six.
const LONGEST: usize = 16 << 20;

pub(crate) struct Lines<R> {
    from: R,
    buffer: Vec<u8>,
}

impl Lines<File> {
    /// Standard input without the buffer that `std` puts before it, which a poll would not see.
    pub(crate) fn stdin() -> io::Result<Self> {
        Ok(Self::new(File::from(io::stdin().as_fd().try_clone_to_owned()?)))
    }
}

impl<R: Read + AsFd> Lines<R> {
    pub(crate) fn new(from: R) -> Self {
        Self { from, buffer: Vec::new() }
    }

    /// The first document; none when the other side went away first.
    pub(crate) fn order(&mut self) -> io::Result<Option<Order>> {
        loop {
            if let Some(order) = self.next()? {
                return Ok(Some(order));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    pub(crate) fn into_inner(self) -> R {
        self.from
    }

    /// Reads what there is, blocking when there is nothing. False at the end.
    pub(crate) fn fill(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 16 << 10];
        let length = loop {
            match self.from.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        if self.buffer.len() + length > LONGEST {
            return Err(io::Error::other("a line is longer than any order can be"));
        }
        self.buffer.extend_from_slice(&chunk[..length]);
        Ok(length > 0)
    }

    /// The next document that is already here.
    pub(crate) fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
        let line: Vec<u8> = self.buffer.drain(..=end).collect();
        Ok(Some(serde_json::from_slice(&line)?))
    }
}

impl<R: AsFd> AsFd for Lines<R> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.from.as_fd()
    }
}
