//! How often somebody may ask, each for themselves.
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _, clock::DefaultClock};
use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// After how many requests it is looked for keys that can be forgotten, of which there are then at least as many.
const SWEEP: u32 = 1024;

/// A rate for each key, with a burst on top for those who did not ask for a while. Keys whose burst is whole again are
/// forgotten, so memory is bounded by who asked lately.
pub(super) struct Rates {
    rate: u32,
    limiter: Option<DefaultKeyedRateLimiter<Box<str>>>,
    clock: DefaultClock,
    counted: AtomicU32,
}

impl Rates {
    /// Requests a second; 0 for any number.
    pub(super) fn new(rate: u32, burst: NonZeroU32) -> Self {
        let quota = NonZeroU32::new(rate).map(|rate| Quota::per_second(rate).allow_burst(burst));
        let limiter = quota.map(RateLimiter::keyed);
        Self { rate, limiter, clock: DefaultClock::default(), counted: AtomicU32::new(0) }
    }

    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    /// Counts a request.
    ///
    /// # Errors
    /// How long to wait until the next one is allowed.
    pub(super) fn count(&self, key: &str) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if self.counted.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEP) && limiter.len() >= SWEEP as usize {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        limiter.check_key(&Box::from(key)).map_err(|until| until.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(rate: u32, burst: u32) -> Rates {
        Rates::new(rate, NonZeroU32::new(burst).unwrap())
    }

    #[test]
    fn each_has_a_burst_of_their_own_and_then_the_rate() {
        let rates = rates(10, 3);
        assert!((0..3).all(|_| rates.count("jane").is_ok()));
        let wait = rates.count("jane").unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_millis(100), "{wait:?}");
        assert!(rates.count("john").is_ok());
        std::thread::sleep(wait);
        assert!(rates.count("jane").is_ok());
    }

    #[test]
    fn none_is_none() {
        let rates = rates(0, 1);
        assert!((0..10_000).all(|_| rates.count("jane").is_ok()));
    }

    #[test]
    fn who_has_not_asked_lately_is_forgotten() {
        let rates = rates(1_000_000, 1);
        (0..20_000).for_each(|number| _ = rates.count(&number.to_string()));
        let known = rates.limiter.as_ref().unwrap().len();
        assert!(known < 15_000, "{known}");
    }
}
