//! Authority without a caller, and authority over the rights themselves. Both are made once and cannot be cloned.
use crate::{Audit, Claims, Decided, Grant, Identity, Proof, Rbac, Why, decide::Facts};
use api::access::{IsResource, IsVerb};
use domain::{Home, Namespace};
use std::{fmt, marker::PhantomData, sync::Arc, time::Instant};

/// The server's own authority, for loops that carry on with what was admitted, settle or clean. Each use says what
/// it is for, and is audited. A tidy test lists the places that may hold one.
pub struct System {
    who: Arc<Identity>,
    audit: Arc<dyn Audit>,
}

impl System {
    pub(crate) fn new(audit: Arc<dyn Audit>) -> Self {
        Self { who: Identity::make(Claims::new("system:bulkhead", Proof::System)), audit }
    }

    /// A grant in one namespace.
    pub fn grant<V: IsVerb, T: IsResource>(&self, purpose: &'static str, namespace: &Namespace) -> Grant<V, T> {
        self.give(purpose, Home::Namespace(namespace.clone()))
    }

    /// A grant in the shared scope.
    pub fn shared<V: IsVerb, T: IsResource>(&self, purpose: &'static str) -> Grant<V, T> {
        self.give(purpose, Home::Shared)
    }

    /// A grant over all tenants, for the few questions that are about all of them.
    pub fn everywhere<V: IsVerb, T: IsResource>(&self, purpose: &'static str) -> Grant<V, T> {
        self.give(purpose, Home::Cluster)
    }

    fn give<V: IsVerb, T: IsResource>(&self, what: &'static str, home: Home) -> Grant<V, T> {
        let (who, verb, resource) = (&*self.who, V::VALUE, T::VALUE);
        let home_of_it = Some(&home);
        // What the server does by itself has no caller who could be refused; the sink itself tells that it failed.
        let _ = self.audit.decided(&Decided {
            what,
            who,
            right: Some((verb, resource)),
            home: home_of_it,
            name: "",
            why: Why::System,
        });
        Grant { who: self.who.clone(), home, objects: [].into(), names: [].into(), kind: PhantomData }
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("System")
    }
}

/// Replaces the rights that the gate decides by. There is one, so that changes come one after the other.
pub struct PolicyWriter(pub(crate) Arc<Facts>);

impl PolicyWriter {
    /// From now on `rbac` holds. Calls that were admitted before keep their grants.
    pub fn replace(&mut self, rbac: Rbac) {
        self.0.set(rbac);
    }

    /// Changes what holds. Readers see all of the change or nothing of it.
    pub fn change(&mut self, change: impl FnOnce(&mut Rbac)) {
        self.0.change(change);
    }

    /// Until when it may be relied on, unless something is heard before. Without this it may be for ever.
    pub fn fresh_until(&mut self, moment: Instant) {
        self.0.fresh_until(moment);
    }
}

impl fmt::Debug for PolicyWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PolicyWriter")
    }
}
