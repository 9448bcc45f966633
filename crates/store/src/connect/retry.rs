//! Transactions that have to begin anew: another one came between, or the connection was lost.
use super::Connection;
use crate::Error;
use rand::Rng;
use std::time::Duration;

/// How often a transaction is tried. With the pauses it is some three seconds.
const TRIES: u32 = 40;
/// The longest pause between two.
const PAUSE: Duration = Duration::from_millis(100);

/// The tries of one transaction.
#[derive(Debug, Default)]
pub(crate) struct Tries {
    failed: u32,
}

impl Tries {
    /// Whether the next one is the last.
    pub(crate) fn are_over(&self) -> bool {
        self.failed + 1 >= TRIES
    }

    /// Whether to try again after an error. A transaction whose end was asked for when the connection was lost may
    /// have come about, and must not do so twice.
    pub(crate) fn may_go_on(&mut self, connection: &Connection, error: &Error) -> bool {
        self.failed += 1;
        error.is_conflict() || error.is_lost() && !connection.failed_at_its_end()
    }

    /// Waits for a while that is longer after more tries, and by chance, so that those who met do not meet again.
    pub(crate) async fn pause(&self) {
        let most = PAUSE.min(Duration::from_millis(1 << self.failed.min(10)));
        let pause = rand::rng().random_range(Duration::ZERO..=most);
        tokio::time::sleep(pause).await;
    }
}
