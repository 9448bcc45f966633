//! Whether this server is the one that fires.
//!
//! A lease in the database says who does, and its beat that it still does. A server that has seen no beat for as long as
//! a lease lasts, by its own steady clock, takes over with a larger fencing token. One that was stopped, and does not know
//! yet that another leads, writes nothing: each decision names its token, and is refused.
use crate::ports::{Happened, Observe, Ports};
use domain::{Fence, Lease, Result};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How often the one that leads says so.
const BEAT: Duration = Duration::from_secs(3);
/// How long it leads after it last said so. Together with a look, less than the 15 s in which another must take over.
const LASTS: Duration = Duration::from_secs(10);
/// How often the others look.
const LOOK: Duration = Duration::from_secs(1);

/// Who fires, from where this server stands. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lead(Arc<Mutex<Option<Led>>>);

/// That this server does, until then by its uptime.
#[derive(Clone, Copy, Debug)]
struct Led {
    fence: Fence,
    until: Duration,
}

/// What a server that does not lead has seen of the lease, and since when it is like that.
type Seen = Option<(Option<Lease>, Duration)>;

impl Lead {
    /// That of a server that shares its database with no other.
    pub(crate) fn alone() -> Self {
        Self(Arc::new(Mutex::new(Some(Led { fence: Fence::Alone, until: Duration::MAX }))))
    }

    /// By what to fire, if this server does at that uptime.
    pub(crate) fn fence(&self, uptime: Duration) -> Option<Fence> {
        self.get().filter(|led| uptime < led.until).map(|led| led.fence)
    }

    /// Somebody else leads, as a decision was told.
    pub(crate) fn lose(&self, fence: Fence) {
        let mut led = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if led.is_some_and(|led| led.fence == fence) {
            *led = None;
        }
    }

    /// Holds the lease, or waits for it, for as long as it is polled.
    pub(crate) async fn keep<P: Ports>(&self, ports: &P, observer: &dyn Observe) {
        let mut seen: Seen = None;
        let mut leads = false;
        loop {
            let kept = match self.get() {
                Some(Led { fence: Fence::Alone, .. }) => Ok(()),
                Some(Led { fence: Fence::Token(token), .. }) => self.beat(ports, token).await,
                None => self.look(ports, &mut seen).await,
            };
            if let Err(error) = kept {
                tracing::warn!(%error, "whether this server fires the schedules cannot be known; it is asked again");
            }
            let now = self.fence(ports.uptime()).is_some();
            if now != leads {
                leads = now;
                tracing::info!(leads, "whether this server fires the schedules has changed");
                observer.happened(Happened::Leads(leads));
            }
            ports.sleep(if self.get().is_some() { BEAT } else { LOOK }).await;
        }
    }

    /// Lets another server take over at once.
    pub(crate) async fn give_up<P: Ports>(&self, ports: &P) {
        if let Some(Led { fence: Fence::Token(token), .. }) = self.get() {
            self.set(None);
            if let Err(error) = ports.give_up_lease(token).await {
                tracing::warn!(%error, "the lease could not be given up; another server takes over when it has run out");
            }
        }
    }

    async fn beat<P: Ports>(&self, ports: &P, token: i64) -> Result<()> {
        let before = ports.uptime();
        let held = ports.beat_lease(token).await?;
        self.set(held.then(|| Led { fence: Fence::Token(token), until: before + LASTS }));
        Ok(())
    }

    async fn look<P: Ports>(&self, ports: &P, seen: &mut Seen) -> Result<()> {
        let before = ports.uptime();
        let lease = ports.lease().await?;
        let since = match seen {
            Some((same, since)) if *same == lease => *since,
            _ => seen.insert((lease.clone(), ports.uptime())).1,
        };
        let is_free = lease.as_ref().is_none_or(|lease| lease.holder.is_empty());
        if !is_free && before.saturating_sub(since) < LASTS {
            return Ok(());
        }
        let taken = ports.take_lease(lease).await?;
        *seen = None;
        self.set(taken.map(|token| Led { fence: Fence::Token(token), until: before + LASTS }));
        Ok(())
    }

    fn get(&self) -> Option<Led> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, led: Option<Led>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = led;
    }
}
