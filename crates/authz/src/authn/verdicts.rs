//! What was found out about tokens lately.
use super::Verdict;
use domain::{Clock, Code, Error, Result, Timestamp};
use moka::future::Cache;
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};

/// How many tokens are known at a time; the ones that are seen least are forgotten first.
const MOST: u64 = 10_000;

/// Verdicts on tokens, each kept for a while. A token is known by its SHA-256 alone. Whoever asks about a token while
/// it is being judged waits for that verdict.
pub(super) struct Verdicts {
    known: Cache<[u8; 32], Known>,
    keep: Keep,
    clock: Arc<dyn Clock>,
}

/// For how long verdicts count. Zero means that every request is judged anew.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keep {
    /// One that lets in; never beyond the end of the claims.
    pub(super) accepted: Duration,
    /// A refusal.
    pub(super) refused: Duration,
}

#[derive(Clone)]
struct Known {
    verdict: Verdict,
    /// It does not count from here on.
    stale: Timestamp,
}

impl Verdicts {
    pub(super) fn new(keep: Keep, clock: Arc<dyn Clock>) -> Self {
        let longest = keep.accepted.max(keep.refused);
        Self { known: Cache::builder().max_capacity(MOST).time_to_live(longest).build(), keep, clock }
    }

    /// The verdict on this token: the one that is known, or else what `judge` finds out.
    ///
    /// # Errors
    /// Those of `judge`, which are not kept.
    pub(super) async fn get(&self, token: &str, judge: impl Future<Output = Result<Verdict>>) -> Result<Verdict> {
        let key: [u8; 32] = Sha256::digest(token).into();
        let now = self.clock.now();
        match self.known.get(&key).await {
            Some(known) if now < known.stale => return Ok(known.verdict),
            Some(_) => self.known.invalidate(&key).await,
            None => {}
        }
        // It counts from when it was asked for: the answer may be that old.
        let judged = async { judge.await.map(|verdict| Known { stale: self.stale(&verdict, now), verdict }) };
        match self.known.try_get_with(key, judged).await {
            Ok(known) => Ok(known.verdict),
            Err(shared) => Err(again(shared)),
        }
    }

    fn stale(&self, verdict: &Verdict, asked: Timestamp) -> Timestamp {
        let after = |duration: Duration| {
            let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
            Timestamp(asked.0.saturating_add(micros))
        };
        match verdict {
            Err(_) => after(self.keep.refused),
            Ok(claims) => claims.until.into_iter().fold(after(self.keep.accepted), Timestamp::min),
        }
    }
}

/// A failure that several requests have met, for one of them.
pub(super) fn again(shared: Arc<Error>) -> Error {
    match shared.code() {
        Code::Unavailable => Error::unavailable(shared.message().to_owned(), shared),
        _ => Error::internal(shared),
    }
}
