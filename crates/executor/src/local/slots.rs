//! Whose turn it is to run a task: a number of slots, of which no namespace may have all, given to those who wait in
//! turns between namespaces.
use domain::Namespace;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// The slots of a host.
#[derive(Debug)]
pub(super) struct Slots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// What one namespace may have at a time.
    share: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    free: usize,
    taken: HashMap<Namespace, usize>,
    /// Those who wait, by namespace; the namespace at the front is the next.
    waiting: VecDeque<(Namespace, VecDeque<oneshot::Sender<Slot>>)>,
}

/// The right to run one task. To drop it is to pass it on.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Inner>,
    namespace: Namespace,
}

impl Slots {
    /// `all` slots, of which a namespace may have so many.
    pub(super) fn new(all: usize, share: Option<usize>) -> Self {
        let state = Mutex::new(State { free: all, ..State::default() });
        Self(Arc::new(Inner { share: share.unwrap_or(all.saturating_sub(1)).max(1), state }))
    }

    /// Waits for a slot. May be dropped.
    pub(super) async fn acquire(&self, namespace: &Namespace) -> Slot {
        let given = {
            let mut state = self.0.state();
            let (sender, given) = oneshot::channel();
            match state.waiting.iter_mut().find(|(waiting, _)| waiting == namespace) {
                Some((_, queue)) => queue.push_back(sender),
                None => state.waiting.push_back((namespace.clone(), VecDeque::from([sender]))),
            }
            given
        };
        self.0.give();
        match given.await {
            Ok(slot) => slot,
            // The queue is never dropped while `self` is there to be asked.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives free slots to those whose turn it is.
    fn give(self: &Arc<Self>) {
        while let Some((sender, namespace)) = self.next() {
            // Who stops waiting at this very moment gives it straight back.
            let _ = sender.send(Slot { slots: self.clone(), namespace });
        }
    }

    fn next(&self) -> Option<(oneshot::Sender<Slot>, Namespace)> {
        let mut state = self.state();
        let State { free, taken, waiting } = &mut *state;
        if *free == 0 {
            return None;
        }
        let may = |namespace: &Namespace| taken.get(namespace).is_none_or(|taken| *taken < self.share);
        let mut turn = 0;
        let (sender, namespace) = loop {
            let (namespace, queue) = waiting.get_mut(turn)?;
            if !may(namespace) {
                turn += 1;
                continue;
            }
            // Those who have stopped waiting are passed over here, and not by giving and taking back.
            let next = std::iter::from_fn(|| queue.pop_front()).find(|sender| !sender.is_closed());
            let (namespace, queue) = waiting.remove(turn)?;
            if !queue.is_empty() {
                waiting.push_back((namespace.clone(), queue));
            }
            if let Some(sender) = next {
                break (sender, namespace);
            }
        };
        *free -= 1;
        *taken.entry(namespace.clone()).or_default() += 1;
        Some((sender, namespace))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        {
            let mut state = self.slots.state();
            state.free += 1;
            if let Some(taken) = state.taken.get_mut(&self.namespace) {
                *taken -= 1;
                if *taken == 0 {
                    state.taken.remove(&self.namespace);
                }
            }
        }
        self.slots.give();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn namespaces_take_turns_and_none_has_all() {
        let (a, b) = (Namespace::parse("a").unwrap(), Namespace::parse("b").unwrap());
        let slots = Slots::new(3, None);
        let mut of_a: Vec<_> = (0..5).map(|_| Box::pin(slots.acquire(&a))).collect();
        let got: Vec<Slot> = of_a.iter_mut().filter_map(|wait| wait.now_or_never()).collect();
        assert_eq!(got.len(), 2, "one slot is kept from a namespace that wants them all");
        let first_of_b = slots.acquire(&b).now_or_never().expect("the last slot is for somebody else");
        let mut second_of_b = Box::pin(slots.acquire(&b));
        assert!((&mut second_of_b).now_or_never().is_none());
        drop(got);
        // Two are free again: one for each that waits.
        assert!((&mut second_of_b).now_or_never().is_some());
        assert!(of_a[2..].iter_mut().any(|wait| wait.now_or_never().is_some()));
        drop(first_of_b);
    }

    #[tokio::test]
    async fn who_stops_waiting_takes_nothing_along() {
        let a = Namespace::parse("a").unwrap();
        let slots = Slots::new(1, None);
        let slot = slots.acquire(&a).await;
        let mut waiting = Box::pin(slots.acquire(&a));
        assert!((&mut waiting).now_or_never().is_none());
        drop(waiting);
        drop(slot);
        assert!(slots.acquire(&a).now_or_never().is_some());
    }
}
