//! What was found out about API tokens within the last seconds, so that not each request asks the database.
use super::{
    api_token::{KnownToken, Tokens},
    verdicts::again,
};
use domain::{Clock, Error, Result, Timestamp};
use moka::future::Cache;
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};

/// How many tokens are known at a time, and of how many it is known that they are none. They are kept apart, so that
/// guesses push out no token that somebody uses.
const MOST: u64 = 10_000;
/// For how long it counts at most that a token is not known.
const ABSENT: Duration = Duration::from_secs(1);

/// Tokens as they were found, each known by its SHA-256 alone. Whoever asks about one while it is looked up waits for
/// that answer.
pub(super) struct RecentTokens {
    tokens: Arc<dyn Tokens>,
    keep: Duration,
    found: Cache<[u8; 32], Found>,
    absent: Cache<[u8; 32], ()>,
    clock: Arc<dyn Clock>,
}

#[derive(Clone)]
struct Found {
    token: Arc<KnownToken>,
    /// When it was asked about.
    at: Timestamp,
    /// What was revoked by then.
    revocations: u64,
}

/// Why nothing was found.
enum Missing {
    Absent,
    Unknown(Arc<Error>),
}

impl RecentTokens {
    /// Zero keeps nothing.
    pub(super) fn new(tokens: Arc<dyn Tokens>, keep: Duration, clock: Arc<dyn Clock>) -> Self {
        let cache = |keep| Cache::builder().max_capacity(MOST).time_to_live(keep);
        let (found, absent) = (cache(keep).build(), Cache::builder().max_capacity(MOST).time_to_live(keep.min(ABSENT)));
        Self { tokens, keep, found, absent: absent.build(), clock }
    }

    pub(super) fn keeping(self, keep: Duration) -> Self {
        Self::new(self.tokens, keep, self.clock)
    }

    /// The token of this secret, or `None` if there is none.
    ///
    /// # Errors
    /// What stands in the way of looking it up; that is not kept.
    pub(super) async fn find(&self, secret: &str) -> Result<Option<Arc<KnownToken>>> {
        if self.keep.is_zero() {
            return Ok(self.tokens.find(secret).await?.map(Arc::new));
        }
        let key: [u8; 32] = Sha256::digest(secret).into();
        if self.absent.contains_key(&key) {
            return Ok(None);
        }
        // Read before the token is, so that a revocation in between makes what was read stale.
        let revocations = self.tokens.revocations();
        let now = self.clock.now();
        match self.found.get(&key).await {
            Some(found) if found.revocations == revocations && self.is_fresh(found.at, now) => {
                return Ok(Some(found.token));
            }
            Some(_) => self.found.invalidate(&key).await,
            None => {}
        }
        let looked_up = async {
            match self.tokens.find(secret).await {
                Ok(Some(token)) => Ok(Found { token: Arc::new(token), at: now, revocations }),
                Ok(None) => Err(Missing::Absent),
                Err(error) => Err(Missing::Unknown(error.into())),
            }
        };
        match self.found.try_get_with(key, looked_up).await {
            // Somebody else may have begun to look it up before it was revoked.
            Ok(found) if found.revocations == revocations => Ok(Some(found.token)),
            Ok(_) => Ok(self.tokens.find(secret).await?.map(Arc::new)),
            Err(missing) => match &*missing {
                Missing::Absent => {
                    self.absent.insert(key, ()).await;
                    Ok(None)
                }
                Missing::Unknown(error) => Err(again(error.clone())),
            },
        }
    }

    /// Neither too old, nor from a time that is yet to come, which a clock that was set back makes of it.
    fn is_fresh(&self, at: Timestamp, now: Timestamp) -> bool {
        let age = u64::try_from(now.0.saturating_sub(at.0)).ok();
        age.is_some_and(|age| Duration::from_micros(age) < self.keep)
    }
}

#[cfg(test)]
mod tests;
