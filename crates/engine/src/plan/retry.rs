//! When a failed attempt is followed by another.
use spec::RetryPolicy;
use std::time::Duration;

/// The most attempts beyond the first, whatever the pipeline says: each leaves files and a line of history.
const MAX_RETRIES: u32 = 100;
/// The longest time between two attempts where the pipeline names none, as the SDK has it.
const MAX_BACKOFF: Duration = Duration::from_secs(3600);

/// How often a task is tried again, and after how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    /// Attempts beyond the first.
    pub max: u32,
    pub backoff: Duration,
    pub factor: f64,
    pub max_backoff: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { max: 0, backoff: Duration::ZERO, factor: 1.0, max_backoff: MAX_BACKOFF }
    }
}

impl Retry {
    pub(super) fn new(policy: &RetryPolicy) -> Self {
        let factor = policy.backoff_factor;
        Self {
            max: policy.max_retry_count.try_into().unwrap_or(0).min(MAX_RETRIES),
            backoff: policy.backoff_duration.0,
            factor: if factor.is_finite() && factor > 0.0 { factor } else { 1.0 },
            max_backoff: Some(policy.backoff_max_duration.0).filter(|max| !max.is_zero()).unwrap_or(MAX_BACKOFF),
        }
    }

    /// How long to wait after an attempt (from 0) failed: `backoff * factor^attempt`, at most `max_backoff`.
    pub fn delay(&self, attempt: u32) -> Duration {
        let seconds = self.backoff.as_secs_f64() * self.factor.powi(attempt.try_into().unwrap_or(i32::MAX));
        // Zero times infinity is not a number; a zero stays a zero.
        let seconds = if self.backoff.is_zero() { 0.0 } else { seconds };
        Duration::try_from_secs_f64(seconds).unwrap_or(self.max_backoff).min(self.max_backoff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_to_its_cap() {
        let retry = |backoff, factor, max| Retry {
            max: 5,
            backoff: Duration::from_secs(backoff),
            factor,
            max_backoff: Duration::from_secs(max),
        };
        let delays = |retry: Retry| [0, 1, 2, 3].map(|attempt| retry.delay(attempt).as_secs_f64());
        assert_eq!(delays(retry(10, 3.0, 60)), [10.0, 30.0, 60.0, 60.0]);
        assert_eq!(delays(retry(1, 1.0, 60)), [1.0; 4]);
        assert_eq!(delays(retry(0, 2.0, 60)), [0.0; 4]);
        assert_eq!(retry(1, 1e300, 60).delay(u32::MAX).as_secs(), 60);
        assert_eq!(retry(0, 1e300, 60).delay(u32::MAX).as_secs(), 0);
    }
}
