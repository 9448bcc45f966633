//! Takes what is heard of the cluster to the gate, one change at a time.
use super::{
    kind::Kind,
    object::{Fact, Object},
};
use access::{Key, PolicyWriter, Rbac};
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};
use tokio::sync::{mpsc::Receiver, watch::Sender};

/// How many things that were heard become one change of the gate's rights.
const AT_ONCE: usize = 256;

/// Something that was heard of a kind.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) kind: Kind,
    pub(super) heard: Heard,
}

#[derive(Debug)]
pub(super) enum Heard {
    /// These are all there are.
    All(Vec<Object>),
    /// It is new, or says something else now.
    Changed(Object),
    Gone(Key),
    /// Whatever was done before this moment has been heard.
    Current(Instant),
}

/// What is known of the cluster.
pub(super) struct Known {
    policy: PolicyWriter,
    /// For how long what was heard may be relied on.
    bound: Duration,
    kinds: Vec<KnownKind>,
    /// Until when the rights may be relied on; `None` before all kinds were heard of.
    fresh_until: Sender<Option<Instant>>,
}

struct KnownKind {
    kind: Kind,
    /// Those that the rights have something of.
    keys: HashSet<Key>,
    /// What is wrong with which, so that it is told once.
    wrong: HashMap<Key, Vec<String>>,
    current: Option<Instant>,
}

impl Known {
    pub(super) fn new(
        mut policy: PolicyWriter,
        bound: Duration,
        kinds: &[Kind],
        fresh_until: Sender<Option<Instant>>,
    ) -> Self {
        policy.fresh_until(Instant::now());
        let kind = |&kind| KnownKind { kind, keys: HashSet::new(), wrong: HashMap::new(), current: None };
        Self { policy, bound, kinds: kinds.iter().map(kind).collect(), fresh_until }
    }

    /// Until the last of those who hear is gone. Blocks the thread: all bindings of a cluster are much to apply at a
    /// time.
    pub(super) fn run(mut self, mut messages: Receiver<Message>) {
        let mut heard = Vec::with_capacity(AT_ONCE);
        while messages.blocking_recv_many(&mut heard, AT_ONCE) > 0 {
            self.take(&mut heard);
        }
    }

    fn take(&mut self, heard: &mut Vec<Message>) {
        let Self { policy, kinds, .. } = self;
        policy.change(|rbac| {
            for Message { kind, heard } in heard.drain(..) {
                if let Some(known) = kinds.iter_mut().find(|known| known.kind == kind) {
                    known.take(rbac, heard);
                }
            }
        });
        let oldest = self.kinds.iter().map(|kind| kind.current).min().flatten();
        let until = oldest.map(|oldest| oldest + self.bound);
        if let Some(until) = until {
            self.policy.fresh_until(until);
        }
        self.fresh_until.send_if_modified(|before| std::mem::replace(before, until) != until);
    }
}

impl KnownKind {
    fn take(&mut self, rbac: &mut Rbac, heard: Heard) {
        match heard {
            Heard::All(objects) => self.replace(rbac, objects),
            Heard::Changed(object) => self.set(rbac, object),
            Heard::Gone(key) => self.remove(rbac, &key),
            Heard::Current(moment) => self.current = Some(moment),
        }
    }

    fn replace(&mut self, rbac: &mut Rbac, objects: Vec<Object>) {
        let there: HashSet<&Key> = objects.iter().map(|object| &object.key).collect();
        let known = self.keys.iter().chain(self.wrong.keys());
        let gone: Vec<Key> = known.filter(|key| !there.contains(key)).cloned().collect();
        gone.iter().for_each(|key| self.remove(rbac, key));
        objects.into_iter().for_each(|object| self.set(rbac, object));
    }

    fn set(&mut self, rbac: &mut Rbac, object: Object) {
        let Object { key, fact, wrong } = object;
        self.report(&key, wrong);
        if fact.is_some() {
            put(rbac, self.kind, &key, fact);
            self.keys.insert(key);
        } else if self.keys.remove(&key) {
            put(rbac, self.kind, &key, None);
        }
    }

    fn remove(&mut self, rbac: &mut Rbac, key: &Key) {
        self.wrong.remove(key);
        if self.keys.remove(key) {
            put(rbac, self.kind, key, None);
        }
    }

    /// Logs what was not wrong with it before.
    fn report(&mut self, key: &Key, wrong: Vec<String>) {
        if wrong.is_empty() {
            self.wrong.remove(key);
            return;
        }
        let before = self.wrong.insert(key.clone(), wrong.clone());
        if before.as_ref() != Some(&wrong) {
            let namespace = key.namespace.as_ref().map(|namespace| namespace.as_str());
            let (kind, name, wrong) = (self.kind, &key.name, wrong.join("; "));
            tracing::warn!(namespace, name = &**name, "a {kind} grants less than it seems to: {wrong}");
        }
    }
}

fn put(rbac: &mut Rbac, kind: Kind, key: &Key, fact: Option<Fact>) {
    match (kind, fact) {
        (_, Some(Fact::Rules(rules))) => rbac.set_role(key.clone(), Some(&rules)),
        (_, Some(Fact::Binding(binding))) => rbac.set_binding(key, Some(binding)),
        (Kind::Role | Kind::ClusterRole, _) => rbac.set_role(key.clone(), None),
        (Kind::RoleBinding | Kind::ClusterRoleBinding, _) => rbac.set_binding(key, None),
        (Kind::Profile, fact) => {
            let owner = match fact {
                Some(Fact::Tenant(owner)) => Some(owner),
                _ => None,
            };
            if let Some(namespace) = &key.namespace {
                rbac.set_tenant(namespace, owner);
            }
        }
    }
}
