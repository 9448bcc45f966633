//! Refusals that take their time: to refuse is work too, and who floods would send the next request at once.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long a refusal is held back that is the only one of its user.
const HOLD: Duration = Duration::from_millis(500);
/// So many more of a user that are held back make it as long again. However many connections they have, they get no
/// more than so many refusals in each `HOLD`.
const PER_HOLD: u32 = 32;
/// The longest that one is held back.
const LONGEST: Duration = Duration::from_secs(10);

/// The refusals that are held back, by user.
#[derive(Clone, Default)]
pub(super) struct Held(Arc<Mutex<HashMap<Box<str>, u32>>>);

/// One of them, until this is dropped.
struct One<'a> {
    held: &'a Held,
    user: &'a str,
}

impl Held {
    /// Waits as long as a refusal of this user is to be held back.
    pub(super) async fn wait(&self, user: &str) {
        let (_one, others) = self.add(user);
        tokio::time::sleep(hold(others)).await;
    }

    /// One more, and how many there were.
    fn add<'a>(&'a self, user: &'a str) -> (One<'a>, u32) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_user = held.entry(user.into()).or_default();
        let others = *of_user;
        *of_user += 1;
        (One { held: self, user }, others)
    }
}

fn hold(others: u32) -> Duration {
    (HOLD + HOLD * others / PER_HOLD).min(LONGEST)
}

impl Drop for One<'_> {
    fn drop(&mut self) {
        let mut held = self.held.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_user) = held.get_mut(self.user) {
            *of_user -= 1;
            if *of_user == 0 {
                held.remove(self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_there_are_the_longer_each_takes() {
        for (others, expect) in [(0, 500), (16, 750), (32, 1_000), (320, 5_500), (100_000, 10_000)] {
            assert_eq!(hold(others), Duration::from_millis(expect), "{others}");
        }
    }

    #[test]
    fn they_are_counted_while_they_are_there() {
        let held = Held::default();
        let (one, others) = held.add("jane");
        assert_eq!((others, held.add("john").1), (0, 0));
        let (two, others) = held.add("jane");
        assert_eq!(others, 1);
        drop((one, two));
        assert!(held.0.lock().unwrap().is_empty());
    }
}
