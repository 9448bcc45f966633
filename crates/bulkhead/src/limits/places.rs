//! Who is next: a bounded number of requests is worked on at one time, and a user with few of them goes before one with
//! many.
use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// How many requests may wait for each that may be under way, of one user.
const WAITING: usize = 4;

/// The places of a server. Cheap to clone.
#[derive(Clone)]
pub(super) struct Places(Arc<Inner>);

struct Inner {
    /// In all, and of one user; 0 for any number.
    all: usize,
    own: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    under_way: usize,
    users: HashMap<Arc<str>, User>,
    /// The users who have something waiting and a place free, first who is next: by how much of theirs is under way,
    /// and among equals by when they came, or had their last turn.
    next: BTreeSet<(usize, u64, Arc<str>)>,
    turns: u64,
}

#[derive(Default)]
struct User {
    under_way: usize,
    turn: u64,
    waiting: VecDeque<oneshot::Sender<Place>>,
}

/// A request's place while it is worked on. It is free again when this is dropped.
pub(crate) struct Place {
    inner: Arc<Inner>,
    user: Arc<str>,
}

/// As many requests of a user wait as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full {
    pub(super) under_way: usize,
    pub(super) waiting: usize,
}

impl Places {
    pub(super) fn new(all: usize, own: usize) -> Self {
        Self(Arc::new(Inner { all, own, state: Mutex::default() }))
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// If too many of the user's requests are waiting.
    pub(super) async fn take(&self, user: &str) -> Result<Place, Full> {
        let turn = {
            let mut state = self.0.state();
            let user: Arc<str> = match state.users.get_key_value(user) {
                Some((user, _)) => user.clone(),
                None => user.into(),
            };
            state.turns += 1;
            let turn = state.turns;
            let is_free = state.next.is_empty() && (self.0.all == 0 || state.under_way < self.0.all);
            let new = User { turn, ..User::default() };
            let of_user = state.users.entry(user.clone()).or_insert(new);
            if is_free && of_user.waiting.is_empty() && (self.0.own == 0 || of_user.under_way < self.0.own) {
                of_user.under_way += 1;
                of_user.turn = turn;
                state.under_way += 1;
                return Ok(Place { inner: self.0.clone(), user });
            }
            if self.0.own > 0 && of_user.waiting.len() >= self.0.own * WAITING {
                of_user.waiting.retain(|waiting| !waiting.is_closed());
            }
            let (under_way, waiting) = (of_user.under_way, of_user.waiting.len());
            if self.0.own > 0 && under_way >= self.0.own && waiting >= self.0.own * WAITING {
                return Err(Full { under_way, waiting });
            }
            let (sender, turn) = oneshot::channel();
            of_user.waiting.push_back(sender);
            state.line_up(&user, self.0.own);
            turn
        };
        Inner::hand_out(&self.0);
        match turn.await {
            Ok(place) => Ok(place),
            // Nobody drops a sender without a place while this waits: the queue goes with the server.
            Err(_) => Err(Full { under_way: 0, waiting: 0 }),
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the free places to who is next.
    fn hand_out(this: &Arc<Self>) {
        loop {
            let (sender, place) = {
                let mut state = this.state();
                if this.all > 0 && state.under_way >= this.all {
                    return;
                }
                let Some((_, _, user)) = state.next.pop_first() else { return };
                state.turns += 1;
                let turn = state.turns;
                let Some(of_user) = state.users.get_mut(&user) else { continue };
                // Whoever has gone away needs no place.
                while of_user.waiting.pop_front_if(|waiting| waiting.is_closed()).is_some() {}
                let Some(sender) = of_user.waiting.pop_front() else {
                    state.line_up(&user, this.own);
                    continue;
                };
                of_user.under_way += 1;
                of_user.turn = turn;
                state.under_way += 1;
                state.line_up(&user, this.own);
                (sender, Place { inner: this.clone(), user })
            };
            // One that has gone away just now gives its place back by being dropped, outside of the lock.
            drop(sender.send(place));
        }
    }
}

impl State {
    /// Puts a user where they belong among those who are next, or forgets them if they have nothing here.
    fn line_up(&mut self, user: &Arc<str>, own: usize) {
        let Some(of_user) = self.users.get(user) else { return };
        if of_user.under_way == 0 && of_user.waiting.is_empty() {
            self.users.remove(user);
        } else if !of_user.waiting.is_empty() && (own == 0 || of_user.under_way < own) {
            self.next.insert((of_user.under_way, of_user.turn, user.clone()));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        {
            let mut state = self.inner.state();
            state.under_way -= 1;
            if let Some(of_user) = state.users.get_mut(&self.user) {
                let before = (of_user.under_way, of_user.turn, self.user.clone());
                of_user.under_way -= 1;
                state.next.remove(&before);
            }
            state.line_up(&self.user, self.inner.own);
        }
        Inner::hand_out(&self.inner);
    }
}

#[cfg(test)]
mod tests;
