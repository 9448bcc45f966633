//! The gate: every call passes it, or does not happen.
use crate::{
    Audit, Authenticators, Caller, Claims, Decided, Grant, Identity, Locate, PolicyWriter, Proof, Rbac, Scope, System,
    scope::Slot,
};
use api::access::{At, Check, Empty, IsResource, IsVerb, MAX_GRANTS, Place, Resource, Rule, Verb};
use arc_swap::ArcSwap;
use domain::{Code, Error, Home, Namespace, Result};
use std::{fmt, marker::PhantomData, sync::Arc};

/// What the gate must know of the installation.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where a right to write pipelines is a right to write shared ones.
    pub server_namespace: Namespace,
    /// The service account that every run of a tenant may use.
    pub default_service_account: String,
}

/// Decides. Cheap to clone.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) policy: Policy,
    pub(crate) locate: Arc<dyn Locate>,
    audit: Arc<dyn Audit>,
}

pub(crate) enum Policy {
    /// Everything is this user's, in the one namespace there is.
    SingleUser(Arc<Identity>),
    Rbac(Arc<ArcSwap<Rbac>>),
}

/// A gate, and the capabilities that exist once.
#[derive(Debug)]
pub struct Founded {
    pub gate: Gate,
    pub authenticators: Authenticators,
    pub system: System,
    pub policy: PolicyWriter,
}

/// A gate for many tenants.
pub fn found(settings: Settings, rbac: Rbac, locate: Arc<dyn Locate>, audit: Arc<dyn Audit>) -> Founded {
    let rbac = Arc::new(ArcSwap::from_pointee(rbac));
    let policy = Policy::Rbac(rbac.clone());
    Founded {
        system: System::new(audit.clone()),
        gate: Gate(Arc::new(Inner { settings, policy, locate, audit })),
        authenticators: Authenticators::new(),
        policy: PolicyWriter(rbac),
    }
}

/// A gate for one user without login, for whom there is only one namespace.
pub fn found_single_user(settings: Settings, locate: Arc<dyn Locate>, audit: Arc<dyn Audit>) -> (Gate, System) {
    let policy = Policy::SingleUser(Identity::make(Claims::new("local", Proof::SingleUser)));
    let system = System::new(audit.clone());
    (Gate(Arc::new(Inner { settings, policy, locate, audit })), system)
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

impl Gate {
    /// Whether the holder of a grant would get it today. Streams ask as they go, and end when the answer is no.
    ///
    /// Only a no is audited: what is still held was decided when the call was admitted. What the server does by its
    /// own authority always holds.
    pub fn holds<V: IsVerb, T: IsResource>(&self, grant: &Grant<V, T>) -> bool {
        let (who, verb, resource, home) = (&*grant.who, V::VALUE, T::VALUE, grant.home());
        let lost = grant.names.iter().find(|name| !self.0.allows(who, verb, resource, home, name));
        if let Some(name) = lost {
            let what = "a right was withdrawn from a call under way";
            self.0.audit.decided(&Decided { what, who, verb, resource, home, name, allowed: false });
        }
        lost.is_none()
    }
}

impl api::access::Admit for Gate {
    type Caller = Caller;
    type Scope<R: Rule> = Scope<R>;

    async fn admit<R: Rule>(&self, caller: Option<&Caller>, req: &R::Request) -> Result<Scope<R>> {
        let mut slots: [Option<Slot>; MAX_GRANTS] = Default::default();
        let mut required = [None; MAX_GRANTS];
        let mut who = self.0.single_user().cloned();
        for &check in R::checks(req).as_ref() {
            if check == Check::Public {
                continue;
            }
            let known = match &who {
                Some(who) => who,
                None => who.insert(caller.unwrap_or(&Caller::Nobody).identity()?.clone()),
            };
            let at = match check {
                Check::At(at) => at,
                Check::Unsaid(what) => return Err(Error::invalid(format!("the request does not name {what}"))),
                Check::Public | Check::Authenticated => continue,
            };
            let ask = Ask { inner: &self.0, rpc: R::PATH, who: known, at };
            match ask.slot().await? {
                None if at.empty == Empty::Skip || at.if_held => {}
                None => drop(required[at.slot].get_or_insert(at.place)),
                Some(slot) => merge(&mut slots[at.slot], slot)?,
            }
        }
        for (slot, place) in slots.iter().zip(required) {
            if let (None, Some(place)) = (slot, place) {
                return Err(unnamed(place));
            }
        }
        Ok(Scope { who, slots, rpc: PhantomData })
    }
}

/// Checks for one grant must agree on where it holds.
fn merge(into: &mut Option<Slot>, slot: Slot) -> Result<()> {
    match into {
        None => *into = Some(slot),
        Some(before) if before.home != slot.home => {
            return Err(Error::invalid("the request names objects of two namespaces"));
        }
        Some(before) => {
            before.objects.extend(slot.objects);
            before.names.extend(slot.names);
        }
    }
    Ok(())
}

fn unnamed(place: Place<'_>) -> Error {
    let what = match place {
        Place::Cluster | Place::Unsupported(_) => "a place",
        Place::Namespace(_) => "a namespace",
        Place::Experiment(_) => "an experiment",
        Place::Run(_) => "a run",
        Place::Pipeline(_) => "a pipeline",
        Place::PipelineVersion(_) => "a pipeline version",
        Place::RecurringRun(_) => "a recurring run",
    };
    Error::invalid(format!("the request does not name {what}"))
}

/// One check of one call.
pub(crate) struct Ask<'a> {
    pub(crate) inner: &'a Inner,
    pub(crate) rpc: &'static str,
    pub(crate) who: &'a Identity,
    pub(crate) at: At<'a>,
}

impl Ask<'_> {
    /// Whether the caller may do what the check asks, there and to an object of that name.
    pub(crate) fn may(&self, home: &Home, name: &str) -> bool {
        let allowed = self.inner.allows(self.who, self.at.verb, self.at.resource, home, name);
        // What is only tried is no decision, unless something comes of it.
        if self.at.if_held && !allowed {
            return false;
        }
        let (verb, resource) = (self.at.verb, self.at.resource);
        self.inner.audit.decided(&Decided { what: self.rpc, who: self.who, verb, resource, home, name, allowed });
        allowed
    }

    /// The openly worded refusal, for places that the request itself names.
    pub(crate) fn forbidden(&self, home: &Home) -> Error {
        let place = match home {
            Home::Namespace(namespace) => format!("in namespace {namespace}"),
            Home::Shared => {
                format!("for everybody, which takes the right in namespace {}", self.inner.settings.server_namespace)
            }
            Home::Cluster => "in the whole cluster".to_owned(),
        };
        let At { verb, resource, .. } = self.at;
        let group = resource.group();
        let dot = if group.is_empty() { "" } else { "." };
        Error::new(Code::PermissionDenied, format!("{} may not {verb} {resource}{dot}{group} {place}", self.who.user()))
    }
}

impl Inner {
    pub(crate) fn single_user(&self) -> Option<&Arc<Identity>> {
        match &self.policy {
            Policy::SingleUser(identity) => Some(identity),
            Policy::Rbac(_) => None,
        }
    }

    pub(crate) fn allows(&self, who: &Identity, verb: Verb, resource: Resource, home: &Home, name: &str) -> bool {
        if !who.scope().reaches(verb, home, &self.settings.server_namespace) {
            return false;
        }
        let Policy::Rbac(rbac) = &self.policy else { return true };
        let rbac = rbac.load();
        match home {
            // Who is logged in may read what is for everybody.
            Home::Shared if matches!(verb, Verb::Get | Verb::List) => true,
            Home::Shared => rbac.allows(who, verb, resource, Some(&self.settings.server_namespace), name),
            Home::Namespace(namespace) => {
                rbac.is_tenant(namespace) && rbac.allows(who, verb, resource, Some(namespace), name)
            }
            Home::Cluster => rbac.allows(who, verb, resource, None, name),
        }
    }
}
