//! Authority without a caller, and authority over the rights themselves. Both are made once and cannot be cloned.
use crate::{Audit, Claims, Decided, Grant, Identity, Proof, Rbac};
use api::access::{IsResource, IsVerb};
use arc_swap::ArcSwap;
use domain::{Home, Namespace};
use std::{fmt, marker::PhantomData, sync::Arc};

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
        self.audit.decided(&Decided { what, who, verb, resource, home: &home, name: "", allowed: true });
        Grant { who: self.who.clone(), home, objects: [].into(), names: [].into(), kind: PhantomData }
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("System")
    }
}

/// Replaces the rights that the gate decides by.
#[derive(Debug)]
pub struct PolicyWriter(pub(crate) Arc<ArcSwap<Rbac>>);

impl PolicyWriter {
    /// From now on `rbac` holds. Calls that were admitted before keep their grants.
    pub fn replace(&self, rbac: Rbac) {
        self.0.store(Arc::new(rbac));
    }
}
