//! How much callers may ask for: so often, so much at one time, and for so long. None of it is about who may do what.
//!
//! What a user asks for is counted before anything is done for it, and what is asked of a namespace once the gate has
//! admitted it, so that nobody uses up what is another's.
mod held;
mod places;
mod rates;

pub(crate) use places::Place;

use crate::{
    config::{Config, Seconds},
    metrics::Metrics,
};
use access::{Identity, Throttle, Work};
use domain::{Code, Error, Home, Result};
use held::Held;
use places::Places;
use prometheus::IntCounterVec;
use rates::Rates;
use std::time::Duration;

/// When it is worth another try for whoever has too many requests waiting.
const SOON: Duration = Duration::from_secs(1);

/// All limits. Where one user is alone without a login only those of the server as a whole count.
pub(crate) struct Limits {
    users: Rates,
    user_writes: Rates,
    namespaces: Rates,
    namespace_writes: Rates,
    places: Places,
    held: Held,
    request_timeout: Option<Duration>,
    refused: IntCounterVec,
}

impl Limits {
    pub(crate) fn new(config: &Config, metrics: &Metrics) -> Self {
        let it = &config.limits;
        let rate = |rate| if config.multi_user { rate } else { 0 };
        let own = if config.multi_user { it.user_concurrency } else { 0 };
        let Seconds(timeout) = it.request_timeout;
        Self {
            users: Rates::new(rate(it.user_rate), it.user_burst),
            user_writes: Rates::new(rate(it.user_write_rate), it.user_write_burst),
            namespaces: Rates::new(rate(it.namespace_rate), it.namespace_burst),
            namespace_writes: Rates::new(rate(it.namespace_write_rate), it.namespace_write_burst),
            places: Places::new(it.concurrency, own),
            held: Held::default(),
            request_timeout: Some(timeout).filter(|timeout| !timeout.is_zero()),
            refused: metrics.limited.clone(),
        }
    }

    /// Counts a request of a user, whatever it asks for. A refusal comes after a while, so that who floods does not
    /// keep the server busy with refusing.
    ///
    /// # Errors
    /// `ResourceExhausted`, with when to try again.
    pub(crate) async fn request(&self, user: &str) -> Result<()> {
        let limit = Limit { name: "user_rate", rates: &self.users };
        let counted =
            self.count(&limit, user, || format!("user {user} may send {} requests a second", self.users.rate()));
        if counted.is_err() {
            self.held.wait(user).await;
        }
        counted
    }

    /// Waits for the user's turn to have a request worked on.
    ///
    /// # Errors
    /// `ResourceExhausted` if too many of the user's requests are waiting already.
    pub(crate) async fn place(&self, user: &str) -> Result<Place> {
        self.places.take(user).await.map_err(|full| {
            self.refused.with_label_values(&["user_concurrency"]).inc();
            let whose = if user.is_empty() { "callers without a login".to_owned() } else { format!("user {user}") };
            let text = format!(
                "{whose} may have {} requests under way at one time (limits.user_concurrency), and {} more wait; wait \
                 for answers before you send others",
                full.under_way, full.waiting
            );
            Error::exhausted(text, SOON)
        })
    }

    /// How long it may take to answer a request, once all of it is there.
    pub(crate) fn request_timeout(&self) -> Option<Duration> {
        self.request_timeout
    }

    /// What becomes of a request that took longer.
    pub(crate) fn late(&self, longest: Duration) -> Error {
        self.refused.with_label_values(&["request_timeout"]).inc();
        let text = format!(
            "the request took longer than {} s (limits.request_timeout) and was given up; what it was to change may be \
             changed",
            longest.as_secs_f64()
        );
        Error::new(Code::DeadlineExceeded, text)
    }

    fn count(&self, limit: &Limit<'_>, key: &str, may: impl FnOnce() -> String) -> Result<()> {
        let Err(wait) = limit.rates.count(key) else { return Ok(()) };
        self.refused.with_label_values(&[limit.name]).inc();
        let text =
            format!("{} (limits.{}); try again in {:.1} s, and ask less often", may(), limit.name, wait.as_secs_f64());
        Err(Error::exhausted(text, wait))
    }
}

/// One of the rates, by its key in the configuration.
struct Limit<'a> {
    name: &'static str,
    rates: &'a Rates,
}

impl Throttle for Limits {
    fn count(&self, who: &Identity, home: &Home, work: Work) -> Result<()> {
        let user = who.user();
        if work == Work::Write {
            let limit = Limit { name: "user_write_rate", rates: &self.user_writes };
            self.count(&limit, user, || {
                format!("user {user} may send {} requests a second that change something", self.user_writes.rate())
            })?;
        }
        let Some(namespace) = home.namespace() else { return Ok(()) };
        if work == Work::Write {
            let limit = Limit { name: "namespace_write_rate", rates: &self.namespace_writes };
            self.count(&limit, namespace.as_str(), || {
                let rate = self.namespace_writes.rate();
                format!("all users of namespace {namespace} together may send {rate} requests a second that change something")
            })?;
        }
        let limit = Limit { name: "namespace_rate", rates: &self.namespaces };
        self.count(&limit, namespace.as_str(), || {
            format!("all users of namespace {namespace} together may send {} requests a second", self.namespaces.rate())
        })
    }
}
