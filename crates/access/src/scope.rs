//! Proofs of admission: what handlers receive, and what the store asks for.
use crate::{Identity, Owner};
use api::access::{Grants, IsResource, IsVerb, MAX_GRANTS, MayGrant, Reaches};
use domain::{Error, Home, Kind, Namespace, Result, Timestamp};
use std::{fmt, marker::PhantomData, sync::Arc};

/// Where one check of a rule holds, and for which objects.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) home: Home,
    /// The ids that the request named, if the check went by id.
    pub(crate) objects: Vec<Box<str>>,
    /// The RBAC names that were asked about, one for each check; empty for a check without a name.
    pub(crate) names: Vec<Box<str>>,
}

/// Proof that RPC `R` was admitted for one caller.
pub struct Scope<R> {
    pub(crate) who: Option<Arc<Identity>>,
    pub(crate) slots: [Option<Slot>; MAX_GRANTS],
    /// Where the right is held that the rule asks for wherever it is.
    pub(crate) reach: Arc<[Namespace]>,
    pub(crate) rpc: PhantomData<fn() -> R>,
}

impl<R> Scope<R> {
    /// The grant that the rule of `R` always yields.
    pub fn grant<V: IsVerb, T: IsResource>(&self) -> Grant<V, T>
    where
        R: Grants<V, T>,
    {
        #[expect(clippy::expect_used, reason = "the gate refuses a call whose required slots are not all filled")]
        self.slot(R::SLOT).expect("a required slot is filled")
    }

    /// The grant that the rule of `R` yields if the request names the object.
    pub fn grant_opt<V: IsVerb, T: IsResource>(&self) -> Option<Grant<V, T>>
    where
        R: MayGrant<V, T>,
    {
        self.slot(R::SLOT)
    }

    /// All namespaces that the rule of `R` reaches.
    pub fn reach<V: IsVerb, T: IsResource>(&self) -> Reach<V, T>
    where
        R: Reaches<V, T>,
    {
        #[expect(clippy::expect_used, reason = "a rule that reaches namespaces asks who is calling")]
        let who = self.who.clone().expect("who reaches namespaces is known");
        Reach { who, namespaces: self.reach.clone(), kind: PhantomData }
    }

    /// Who called; nobody on public RPCs.
    pub fn caller(&self) -> Option<&Arc<Identity>> {
        self.who.as_ref()
    }

    fn slot<V, T>(&self, slot: usize) -> Option<Grant<V, T>> {
        let Slot { home, objects, names } = self.slots[slot].clone()?;
        let (objects, names) = (objects.into(), names.into());
        Some(Grant { who: self.who.clone()?, home, objects, names, kind: PhantomData })
    }
}

/// Proof that `who` may do `V` to `T`, in one home, to all objects there or only to those that were asked for.
pub struct Grant<V, T> {
    pub(crate) who: Arc<Identity>,
    pub(crate) home: Home,
    /// Empty means all.
    pub(crate) objects: Arc<[Box<str>]>,
    /// What RBAC was asked about, for [`crate::Gate::holds`]. Empty for a grant that did not come from it.
    pub(crate) names: Arc<[Box<str>]>,
    pub(crate) kind: PhantomData<fn() -> (V, T)>,
}

impl<V, T> Grant<V, T> {
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The namespace, for resources that live in one.
    ///
    /// # Errors
    /// `InvalidArgument` if the grant is for the shared scope.
    pub fn namespace(&self) -> Result<&Namespace> {
        self.home.namespace().ok_or_else(|| Error::invalid("the request does not name a namespace"))
    }

    /// Who holds it, to be recorded with what they do.
    pub fn who(&self) -> &Identity {
        &self.who
    }

    /// Who holds it, to be recorded with what acts for them later.
    pub fn owner(&self, now: Timestamp) -> Owner {
        Owner::of(&self.who, now)
    }

    /// Passes if the grant is for this object.
    ///
    /// # Errors
    /// `NotFound`, in the words for an object that does not exist.
    pub fn covers(&self, kind: Kind, id: &str) -> Result<()> {
        if self.objects.is_empty() || self.objects.iter().any(|object| &**object == id) {
            return Ok(());
        }
        Err(Error::not_found(kind, id))
    }

    /// Passes if the grant is for all objects of its home, as lists need it.
    ///
    /// # Errors
    /// `InvalidArgument` if the request has named one object.
    pub fn covers_all(&self) -> Result<()> {
        if self.objects.is_empty() {
            return Ok(());
        }
        Err(Error::invalid("the request names an object where it has to name a namespace"))
    }

    /// Passes if the grant is for all tenants, as what the server does for itself needs it.
    ///
    /// # Errors
    /// `Internal` if it is for one of them.
    pub fn covers_all_tenants(&self) -> Result<()> {
        match self.home {
            Home::Cluster => Ok(()),
            _ => Err(Error::internal("what concerns all tenants is done with a grant for all of them")),
        }
    }

    /// A grant out of thin air, for tests.
    #[cfg(feature = "testing")]
    pub fn forge(user: &str, home: Home) -> Self {
        Self { who: Identity::forge(user, &[]), home, objects: [].into(), names: [].into(), kind: PhantomData }
    }
}

impl<V, T> Clone for Grant<V, T> {
    fn clone(&self) -> Self {
        Self {
            who: self.who.clone(),
            home: self.home.clone(),
            objects: self.objects.clone(),
            names: self.names.clone(),
            kind: PhantomData,
        }
    }
}

impl<V: IsVerb, T: IsResource> fmt::Debug for Grant<V, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} may {} {} in {:?} {:?}", self.who, V::VALUE, T::VALUE, self.home, self.objects)
    }
}

/// Proof that `who` may do `V` to all `T` in each of some namespaces: those where they hold it. Their own come first,
/// and in each half they are in the order of their names.
pub struct Reach<V, T> {
    who: Arc<Identity>,
    namespaces: Arc<[Namespace]>,
    kind: PhantomData<fn() -> (V, T)>,
}

impl<V, T> Reach<V, T> {
    pub fn namespaces(&self) -> &[Namespace] {
        &self.namespaces
    }

    /// Who holds it.
    pub fn who(&self) -> &Identity {
        &self.who
    }

    /// The grant in one of them.
    pub fn grant(&self, namespace: &Namespace) -> Option<Grant<V, T>> {
        let home = self.namespaces.contains(namespace).then(|| Home::Namespace(namespace.clone()))?;
        Some(Grant { who: self.who.clone(), home, objects: [].into(), names: ["".into()].into(), kind: PhantomData })
    }

    /// A reach out of thin air, for tests.
    #[cfg(feature = "testing")]
    pub fn forge(user: &str, namespaces: &[Namespace]) -> Self {
        Self { who: Identity::forge(user, &[]), namespaces: namespaces.into(), kind: PhantomData }
    }
}

impl<V, T> Clone for Reach<V, T> {
    fn clone(&self) -> Self {
        Self { who: self.who.clone(), namespaces: self.namespaces.clone(), kind: PhantomData }
    }
}

impl<V: IsVerb, T: IsResource> fmt::Debug for Reach<V, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} may {} {} in {:?}", self.who, V::VALUE, T::VALUE, self.namespaces)
    }
}
