//! How many streams may be open: each holds a file for as long as its client likes, and the files of a process are few.
use domain::{Code, Error, Namespace, Result};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The longest life of a stream. The gate is asked as it goes about rights and about tokens of its own, but nobody tells
/// it of a user who left an OIDC issuer or a proxy; who begins anew shows who they are.
const LIFE: Duration = Duration::from_secs(600);

/// The streams that are open.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    open: Arc<Mutex<HashMap<Namespace, usize>>>,
    most: usize,
}

/// A stream that counts as open until this is dropped.
#[derive(Debug)]
pub(crate) struct Open {
    streams: Streams,
    namespace: Namespace,
    until: Instant,
}

impl Streams {
    /// At most `most` in all, of which a namespace may have a quarter.
    pub(crate) fn new(most: usize) -> Self {
        Self { open: Arc::default(), most }
    }

    /// Counts one more for a namespace.
    ///
    /// # Errors
    /// `ResourceExhausted` if there are as many as there may be.
    pub(crate) fn open(&self, namespace: &Namespace) -> Result<Open> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = open.values().sum();
        let own = open.entry(namespace.clone()).or_default();
        if *own >= (self.most / 4).max(1) || all >= self.most {
            let text =
                "as many logs and artifacts are being read as may be at one time; try again when others have ended";
            return Err(Error::new(Code::ResourceExhausted, text));
        }
        *own += 1;
        Ok(Open { streams: self.clone(), namespace: namespace.clone(), until: Instant::now() + LIFE })
    }
}

impl Open {
    /// Passes while the stream is not too old.
    ///
    /// # Errors
    /// `Aborted`, which asks the client to begin anew.
    pub(crate) fn check(&self) -> Result<()> {
        if Instant::now() < self.until {
            return Ok(());
        }
        Err(Error::new(
            Code::Aborted,
            format!("it was read for {} s, which is as long as may be; begin anew", LIFE.as_secs()),
        ))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.namespace) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.namespace);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_takes_a_quarter_and_gives_it_back() {
        let (a, b) = (Namespace::parse("a").unwrap(), Namespace::parse("b").unwrap());
        let streams = Streams::new(8);
        let held = [streams.open(&a).unwrap(), streams.open(&a).unwrap()];
        assert_eq!(streams.open(&a).unwrap_err().code(), Code::ResourceExhausted);
        streams.open(&b).unwrap().check().unwrap();
        drop(held);
        assert!(streams.open.lock().unwrap().is_empty());
        let few = Streams::new(1);
        let _one = few.open(&a).unwrap();
        assert!(few.open(&b).is_err());
    }
}
