//! The keys of an issuer, kept current.
//!
//! They are fetched every ten minutes, and at once when a token names a key that is not known: issuers change keys. A
//! flood of tokens with made-up keys makes one fetch in ten seconds. While the issuer is away the last keys are good,
//! but not for ever: a key that it has withdrawn must end, even if somebody keeps us from hearing of it.
use super::{issuer::Issuer, key::Key};
use arc_swap::ArcSwapOption;
use domain::{Clock, Error, Result, Timestamp};
use jsonwebtoken::Algorithm;
use std::{
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::sync::Mutex;

/// How old keys become while the issuer answers.
const REFRESH: Duration = Duration::from_secs(600);
/// The time from one fetch to the next, at least.
const PAUSE: Duration = Duration::from_secs(10);
/// How old keys may be; with older ones nobody is let in.
const OLDEST: Duration = Duration::from_secs(3600);

/// The keys that an issuer publishes.
pub(super) struct Keys {
    issuer: Issuer,
    known: ArcSwapOption<Known>,
    /// When they were last asked for. Whoever holds it is asking.
    asked: Mutex<Option<Timestamp>>,
    clock: Arc<dyn Clock>,
}

struct Known {
    keys: Vec<Key>,
    at: Timestamp,
}

impl Keys {
    pub(super) fn new(issuer: Issuer, clock: Arc<dyn Clock>) -> Self {
        Self { issuer, known: ArcSwapOption::empty(), asked: Mutex::default(), clock }
    }

    /// The key of a token with this `kid` and `alg`; `None` if the issuer publishes none. Without a `kid` it must be
    /// the only one for that algorithm.
    ///
    /// # Errors
    /// `Unavailable` if no keys are known that are recent enough.
    pub(super) async fn find(self: &Arc<Self>, id: Option<&str>, algorithm: Algorithm) -> Result<Option<Key>> {
        if let Some(key) = self.recent().and_then(|known| known.find(id, algorithm)) {
            return Ok(Some(key));
        }
        // In a task of its own: whoever asked may go away, while others wait for the answer.
        let keys = self.clone();
        tokio::spawn(async move { keys.fetch().await }).await.map_err(Error::internal)?;
        let away = "the keys of the token's issuer cannot be fetched now; try again";
        let known =
            self.recent().ok_or_else(|| Error::unavailable(away, "there are no keys that are recent enough"))?;
        Ok(known.find(id, algorithm))
    }

    fn recent(&self) -> Option<Arc<Known>> {
        self.known.load_full().filter(|known| !self.is_past(known.at, OLDEST))
    }

    /// Whether so much time has gone by since then. A clock that was set back counts as much: it says nothing.
    fn is_past(&self, then: Timestamp, duration: Duration) -> bool {
        let passed = self.clock.now().0.saturating_sub(then.0);
        u128::try_from(passed).map_or(true, |passed| passed >= duration.as_micros())
    }

    /// Fetches the keys, unless somebody has just done so.
    async fn fetch(&self) {
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|at| !self.is_past(at, PAUSE)) {
            return;
        }
        let at = self.clock.now();
        let keys = self.issuer.keys().await;
        // From now on, however long it took: those who have waited for it are not to ask one after the other.
        *asked = Some(self.clock.now());
        match keys {
            Ok(keys) => self.known.store(Some(Arc::new(Known { keys, at }))),
            Err(failure) => {
                let cause = std::error::Error::source(&failure).map(ToString::to_string);
                tracing::warn!(error = %failure, cause, "the keys of the OpenID Connect issuer could not be fetched");
            }
        }
    }
}

impl Known {
    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Key> {
        let mut fitting = self.keys.iter().filter(|key| key.fits(id, algorithm));
        let first = fitting.next()?;
        // With a `kid`, the first one has it, and others that do would be a mistake of the issuer's.
        (id.is_some() || fitting.next().is_none()).then(|| first.clone())
    }
}

/// Fetches the keys again and again, as long as anybody has them.
pub(super) fn keep_current(keys: &Arc<Keys>) {
    let keys: Weak<Keys> = Arc::downgrade(keys);
    tokio::spawn(async move {
        while let Some(keys) = keys.upgrade() {
            keys.fetch().await;
            let current = keys.known.load().as_ref().is_some_and(|known| !keys.is_past(known.at, REFRESH / 2));
            drop(keys);
            tokio::time::sleep(if current { REFRESH } else { PAUSE }).await;
        }
    });
}
