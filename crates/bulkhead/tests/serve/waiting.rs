//! Waiting for what happens in the background.
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// How long something may take that happens in the background.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again and again until there is an answer.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "after {PATIENCE:?} it is still not so: {what}");
        sleep(Duration::from_millis(25));
    }
}
