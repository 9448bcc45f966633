//! How long everything may take, so that all of it together stays within the bound.
use std::time::Duration;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// A page of a list may take this long at least, however short the bound is: without it there is nothing to go by.
const PAGE: Duration = Duration::from_secs(5);

/// What follows from for how long rights may be relied on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    third: Duration,
}

impl Timing {
    pub(super) fn new(bound: Duration) -> Self {
        Self { third: bound / 3 }
    }

    /// How long a watch is asked to last, in seconds. At least 1, since 0 means that the API server chooses.
    pub(super) fn asked(self) -> u32 {
        u32::try_from(self.third.as_secs()).unwrap_or(u32::MAX).max(1)
    }

    /// When a watch is given up that the API server has not ended: the other end may be gone without a word.
    pub(super) fn watch(self) -> Duration {
        self.third + self.third / 4
    }

    /// A watch that ended sooner is one that the API server did not want.
    pub(super) fn short(self) -> Duration {
        self.third / 4
    }

    /// How long an answer to anything but a list may take. Two such answers that do not come, one after the other, are
    /// survived within the bound.
    pub(super) fn answer(self) -> Duration {
        self.third / 2
    }

    /// How long a page of a list may take.
    pub(super) fn page(self) -> Duration {
        self.third.max(PAGE)
    }
}

/// Pauses that grow with every failure.
#[derive(Debug)]
pub(super) struct Pause {
    next: Duration,
    longest: Duration,
}

impl Pause {
    pub(super) fn new(timing: Timing) -> Self {
        let longest = LONGEST_PAUSE.min(timing.third).max(SHORTEST_PAUSE);
        Self { next: SHORTEST_PAUSE, longest }
    }

    pub(super) fn next(&mut self) -> Duration {
        let now = self.next;
        self.next = (now * 2).min(self.longest);
        now
    }

    /// All is well again.
    pub(super) fn reset(&mut self) {
        self.next = SHORTEST_PAUSE;
    }
}
