//! What is decided by: RBAC that is kept current, or reviews by Kubernetes; and why a decision came out as it did.
use crate::{Extra, Identity, Rbac};
use api::access::{Resource, Verb};
use arc_swap::ArcSwap;
use domain::{Code, Error, Home, Namespace, Result};
use futures::future::BoxFuture;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Decides by asking Kubernetes (SubjectAccessReview), for clusters whose authorizers go beyond RBAC.
pub trait Review: Send + Sync + 'static {
    /// Whether Kubernetes allows it.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be asked.
    fn allows<'a>(&'a self, question: Question<'a>) -> BoxFuture<'a, Result<bool>>;
}

/// What a SubjectAccessReview asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Question<'a> {
    pub user: &'a str,
    /// The groups, `system:authenticated` among them.
    pub groups: &'a [Box<str>],
    pub extra: &'a Extra,
    pub verb: Verb,
    pub resource: Resource,
    /// `None` for the cluster.
    pub namespace: Option<&'a Namespace>,
    /// Empty if no object is named.
    pub name: &'a str,
}

/// Why a decision came out as it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// A binding gives it.
    Bound,
    /// No binding gives it.
    NotBound,
    /// Kubernetes has said so.
    Reviewed,
    ReviewRefused,
    /// What is for everybody is read by everybody who is logged in.
    SharedRead,
    /// The namespace has no Profile, or one that failed.
    NoTenant,
    /// The token is not good for it.
    TokenScope,
    /// There is no such object.
    Absent,
    /// The credentials that were shown have ended or were revoked.
    CredentialsEnded,
    /// Whoever is logged in may.
    LoggedIn,
    /// There is one user, who may everything.
    SingleUser,
    /// The server acts by itself.
    System,
}

impl Why {
    /// What the caller is told. Whether a namespace that they may do nothing in is a tenant's is not theirs to know.
    pub fn told(self) -> String {
        match self {
            Why::NotBound | Why::ReviewRefused | Why::NoTenant => "nothing gives it".to_owned(),
            other => other.to_string(),
        }
    }

    /// Whether it is a reason to allow.
    pub fn allows(self) -> bool {
        matches!(self, Why::Bound | Why::Reviewed | Why::SharedRead | Why::LoggedIn | Why::SingleUser | Why::System)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::Bound => "a binding gives it",
            Why::NotBound => "no binding gives it",
            Why::Reviewed => "Kubernetes allows it",
            Why::ReviewRefused => "Kubernetes does not allow it",
            Why::SharedRead => "everybody reads what is shared",
            Why::NoTenant => "the namespace is no tenant's",
            Why::TokenScope => "the token is not good for it",
            Why::Absent => "there is no such object",
            Why::CredentialsEnded => "the credentials have ended",
            Why::LoggedIn => "everybody who is logged in may",
            Why::SingleUser => "there is one user",
            Why::System => "the server acts by itself",
        })
    }
}

/// Tenants and rights as they are known at present, and until when they may be relied on.
pub(crate) struct Facts {
    rbac: ArcSwap<Rbac>,
    born: Instant,
    /// Microseconds after `born`; the largest number for ever.
    fresh_until: AtomicU64,
}

impl Facts {
    pub(crate) fn new(rbac: Rbac) -> Self {
        Self { rbac: ArcSwap::from_pointee(rbac), born: Instant::now(), fresh_until: AtomicU64::new(u64::MAX) }
    }

    /// What is known, which is refused once it is too old: somebody's right may have been withdrawn meanwhile.
    pub(crate) fn current(&self) -> Result<arc_swap::Guard<Arc<Rbac>>> {
        let until = self.fresh_until.load(Ordering::Acquire);
        if until != u64::MAX && micros(self.born.elapsed()) > until {
            return Err(Error::new(
                Code::Unavailable,
                "who may do what cannot be known at the moment: nothing was heard of Kubernetes for longer than may \
                 be; try again",
            ));
        }
        Ok(self.rbac.load())
    }

    pub(crate) fn set(&self, rbac: Rbac) {
        self.rbac.store(Arc::new(rbac));
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Rbac)) {
        let mut rbac = Rbac::clone(&self.rbac.load());
        change(&mut rbac);
        self.set(rbac);
    }

    pub(crate) fn fresh_until(&self, moment: Instant) {
        let after = moment.checked_duration_since(self.born).unwrap_or_default();
        self.fresh_until.store(micros(after), Ordering::Release);
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX - 1)
}

pub(crate) enum Policy {
    /// Everything is this user's, in the one namespace there is.
    SingleUser(Arc<Identity>),
    /// The facts say who the tenants are, and what RBAC grants unless reviews are asked for.
    Tenants { facts: Arc<Facts>, review: Option<Arc<dyn Review>> },
}

impl Policy {
    /// Takes as long as to decide about an object that is there and hidden: once about the verb, and once about `get`. It is
    /// decided about the server's own namespace, and nothing comes of it.
    pub(crate) async fn weigh(
        &self,
        who: &Identity,
        (verb, resource): (Verb, Resource),
        name: &str,
        server: &Namespace,
    ) {
        let home = Home::Namespace(server.clone());
        for verb in [verb, Verb::Get] {
            // Whatever comes of it: there is nothing to allow.
            let _ = self.decide(who, (verb, resource), &home, name, server).await;
        }
    }

    /// Whether the caller may, and why. `server` is the namespace that stands for what is shared.
    pub(crate) async fn decide(
        &self,
        who: &Identity,
        (verb, resource): (Verb, Resource),
        home: &Home,
        name: &str,
        server: &Namespace,
    ) -> Result<Why> {
        if !who.scope().reaches(verb, home, server) {
            return Ok(Why::TokenScope);
        }
        let Policy::Tenants { facts, review } = self else { return Ok(Why::SingleUser) };
        let namespace = {
            let rbac = facts.current()?;
            let namespace = match home {
                Home::Shared if matches!(verb, Verb::Get | Verb::List) => return Ok(Why::SharedRead),
                Home::Shared => Some(server),
                Home::Namespace(namespace) if rbac.is_tenant(namespace) => Some(namespace),
                Home::Namespace(_) => return Ok(Why::NoTenant),
                Home::Cluster => None,
            };
            if review.is_none() {
                let allowed = rbac.allows(who, verb, resource, namespace, name);
                return Ok(if allowed { Why::Bound } else { Why::NotBound });
            }
            namespace
        };
        let Some(review) = review else { return Ok(Why::NotBound) };
        let allowed = review.allows(who.asks(verb, resource, namespace, name)).await?;
        Ok(if allowed { Why::Reviewed } else { Why::ReviewRefused })
    }
}
