//! Who watches runs, to be woken when this server has written one.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

type Key = (String, String);

/// The runs that are watched, by namespace and id, each for as long as somebody watches it.
#[derive(Clone, Default)]
pub(crate) struct Wakes(Arc<Mutex<HashMap<Key, watch::Sender<()>>>>);

/// The writes of one run. What another server writes to the same database is not among them.
pub struct Writes {
    wakes: Wakes,
    run: Key,
    seen: watch::Receiver<()>,
}

impl Wakes {
    pub(crate) fn watch(&self, home: &str, run: &str) -> Writes {
        let run = (home.to_owned(), run.to_owned());
        let seen = self.lock().entry(run.clone()).or_insert_with(|| watch::Sender::new(())).subscribe();
        Writes { wakes: self.clone(), run, seen }
    }

    /// A write of this run is stored.
    pub(crate) fn wake(&self, home: &str, run: &str) {
        let all = self.lock();
        // Mostly nobody watches anything.
        if !all.is_empty()
            && let Some(watched) = all.get(&(home.to_owned(), run.to_owned()))
        {
            watched.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writes {
    /// Waits for a write since this was made, or since it last gave one.
    pub async fn next(&mut self) {
        // The sender lives for as long as this does.
        let _ = self.seen.changed().await;
    }
}

impl Drop for Writes {
    fn drop(&mut self) {
        let mut all = self.wakes.lock();
        // This one still counts.
        if all.get(&self.run).is_some_and(|watched| watched.receiver_count() <= 1) {
            all.remove(&self.run);
        }
    }
}

impl std::fmt::Debug for Writes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Writes").field(&self.run).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    #[tokio::test]
    async fn a_write_wakes_who_watches_the_run_once() {
        let wakes = Wakes::default();
        let (mut one, mut two) = (wakes.watch("a", "r"), wakes.watch("a", "r"));
        let mut others = [wakes.watch("b", "r"), wakes.watch("a", "s")];
        for _ in 0..2 {
            wakes.wake("a", "r");
        }
        for watched in [&mut one, &mut two] {
            assert!(watched.next().now_or_never().is_some(), "a write before one waits counts");
            assert!(watched.next().now_or_never().is_none(), "several are one");
        }
        for other in &mut others {
            assert!(other.next().now_or_never().is_none());
        }
        let waits = tokio::spawn(async move {
            one.next().await;
            one
        });
        tokio::task::yield_now().await;
        wakes.wake("a", "r");
        waits.await.unwrap();
    }

    #[test]
    fn nothing_is_kept_of_a_run_that_nobody_watches() {
        let wakes = Wakes::default();
        let (one, two) = (wakes.watch("a", "r"), wakes.watch("a", "r"));
        drop(one);
        assert_eq!(wakes.lock().len(), 1);
        drop(two);
        assert!(wakes.lock().is_empty());
        wakes.wake("a", "r");
        assert!(wakes.lock().is_empty());
    }
}
