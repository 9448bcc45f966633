//! The gate: every call passes it, or does not happen.
use crate::{
    Audit, Authenticators, Caller, Claims, Credentials, Decided, Grant, Id, Identity, Locate, Located, PolicyWriter,
    Proof, Rbac, Review, Scope, System, Throttle, Why, Work,
    decide::{Facts, Policy},
    scope::Slot,
};
use api::access::{At, Check, Empty, IsResource, IsVerb, MAX_GRANTS, MAX_IDS, Place, Resource, Rule, Verb};
use domain::{Clock, Code, Error, Home, Namespace, Result};
use std::{fmt, marker::PhantomData, sync::Arc};

/// What the gate must know of the installation.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where a right to write pipelines is a right to write shared ones.
    pub server_namespace: Namespace,
    /// The service account that every run of a tenant may use.
    pub default_service_account: String,
}

/// What the gate asks of others.
#[derive(Clone)]
pub struct Ports {
    pub locate: Arc<dyn Locate>,
    pub credentials: Arc<dyn Credentials>,
    pub audit: Arc<dyn Audit>,
    pub clock: Arc<dyn Clock>,
    pub throttle: Arc<dyn Throttle>,
    /// Who decides in place of our own evaluation of RBAC.
    pub review: Option<Arc<dyn Review>>,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ports")
    }
}

/// Decides. Cheap to clone.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) policy: Policy,
    pub(crate) ports: Ports,
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
pub fn found(settings: Settings, rbac: Rbac, ports: Ports) -> Founded {
    let facts = Arc::new(Facts::new(rbac));
    let policy = Policy::Tenants { facts: facts.clone(), review: ports.review.clone() };
    Founded {
        system: System::new(ports.audit.clone()),
        gate: Gate(Arc::new(Inner { settings, policy, ports })),
        authenticators: Authenticators::new(),
        policy: PolicyWriter(facts),
    }
}

/// A gate for one user without login, for whom there is only one namespace.
pub fn found_single_user(settings: Settings, ports: Ports) -> (Gate, System) {
    let policy = Policy::SingleUser(Identity::make(Claims::new("local", Proof::SingleUser)));
    let system = System::new(ports.audit.clone());
    (Gate(Arc::new(Inner { settings, policy, ports })), system)
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

impl Gate {
    /// Passes while the holder of a grant would get it today: their credentials still are good, and so is the right.
    /// Streams ask as they go, and end when it does not pass.
    ///
    /// Only a refusal is audited: what is still held was decided when the call was admitted. What the server does by
    /// its own authority always holds.
    ///
    /// # Errors
    /// `PermissionDenied` once the right was withdrawn, `Unauthenticated` once the credentials have ended,
    /// `Unavailable` if neither can be known.
    pub async fn holds<V: IsVerb, T: IsResource>(&self, grant: &Grant<V, T>) -> Result<()> {
        let (who, verb, resource, home) = (&*grant.who, V::VALUE, T::VALUE, grant.home());
        if grant.names.is_empty() {
            return Ok(());
        }
        let audit = &self.0.ports.audit;
        let refuse = |name: &str, why: Why| {
            let what = "a right was withdrawn from a call under way";
            audit.decided(&Decided { what, who, right: Some((verb, resource)), home: Some(home), name, why })
        };
        if !self.0.still_holds(who).await? {
            refuse("", Why::CredentialsEnded)?;
            return Err(ended());
        }
        for name in &grant.names[..] {
            let why = self.0.decide(who, verb, resource, home, name).await?;
            if !why.allows() {
                refuse(name, why)?;
                return Err(Error::new(Code::PermissionDenied, "the right to read this was withdrawn"));
            }
        }
        Ok(())
    }

    /// How it would be decided. For whoever asks what they may; nothing comes of it, and nothing is audited.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be known.
    pub async fn would(&self, who: &Identity, verb: Verb, resource: Resource, home: &Home, name: &str) -> Result<Why> {
        self.0.decide(who, verb, resource, home, name).await
    }

    /// Has something taken down that a handler does by the right of whoever is logged in, with the object's id.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be taken down and nothing may be done unrecorded.
    pub async fn record(&self, who: &Identity, what: &'static str, name: &str) -> Result<()> {
        self.0.logged_in(what, who, name, Why::LoggedIn)?;
        self.0.ports.audit.kept().await
    }

    /// The namespaces whose Profile names the caller, or a group of theirs, as owner, in the order of their names.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be known.
    pub fn owned(&self, who: &Identity) -> Result<Vec<Namespace>> {
        let Policy::Tenants { facts, .. } = &self.0.policy else { return Ok(Vec::new()) };
        let mut owned: Vec<Namespace> = facts.current()?.owned_by(who).cloned().collect();
        owned.sort();
        Ok(owned)
    }

    /// The tenants' namespaces in which the caller may do that, in the order of their names, each with whether its
    /// Profile names them, or a group of theirs, as owner. Where Kubernetes decides only those are asked about, since
    /// each question is a request.
    ///
    /// # Errors
    /// `Unavailable` if it cannot be known.
    pub async fn namespaces(&self, who: &Identity, verb: Verb, resource: Resource) -> Result<Vec<(Namespace, bool)>> {
        let (candidates, owned) = self.0.candidates(who)?;
        let mut namespaces = Vec::new();
        for namespace in candidates {
            let home = Home::Namespace(namespace.clone());
            if self.0.decide(who, verb, resource, &home, "").await?.allows() {
                let is_owned = owned.contains(&namespace);
                namespaces.push((namespace, is_owned));
            }
        }
        namespaces.sort();
        Ok(namespaces)
    }
}

impl api::access::Admit for Gate {
    type Caller = Caller;
    type Scope<R: Rule> = Scope<R>;

    async fn admit<R: Rule>(&self, caller: Option<&Caller>, req: &R::Request) -> Result<Scope<R>> {
        let mut slots: [Option<Slot>; MAX_GRANTS] = Default::default();
        let mut required = [None; MAX_GRANTS];
        let mut works = [Work::Read; MAX_GRANTS];
        let mut reach: Arc<[Namespace]> = Arc::from([]);
        let mut who = self.0.single_user().cloned();
        let mut found = Vec::new();
        for &check in R::checks(req).as_ref() {
            if check == Check::Public {
                continue;
            }
            let known = match &who {
                Some(who) => who,
                None => {
                    let known = who.insert(caller.unwrap_or(&Caller::Nobody).identity()?.clone());
                    // A body may come long after its head, by which the caller was known.
                    if known.is_old() && !self.0.still_holds(known).await? {
                        self.0.logged_in(R::PATH, known, "", Why::CredentialsEnded)?;
                        return Err(ended());
                    }
                    known
                }
            };
            let at = match check {
                Check::At(at) => at,
                Check::Unsaid(what) => return Err(Error::invalid(format!("the request does not name {what}"))),
                Check::TooMany => {
                    let text =
                        format!("the request has a list of more than {MAX_IDS} ids: ask for some of them at a time");
                    return Err(Error::invalid(text));
                }
                Check::Authenticated => {
                    self.0.logged_in(R::PATH, known, "", Why::LoggedIn)?;
                    continue;
                }
                Check::Public => continue,
            };
            let mut ask = Ask { inner: &self.0, rpc: R::PATH, who: known, at, found: &mut found };
            if at.place == Place::Wherever {
                reach = ask.wherever().await?;
                continue;
            }
            match ask.slot().await? {
                None if at.empty == Empty::Skip || at.if_held => {}
                None => drop(required[at.slot].get_or_insert(at.place)),
                Some(slot) => {
                    works[at.slot] = works[at.slot].max(Work::of(at.verb));
                    merge(&mut slots[at.slot], slot)?;
                }
            }
        }
        for (slot, place) in slots.iter().zip(required) {
            if let (None, Some(place)) = (slot, place) {
                return Err(unnamed(place));
            }
        }
        // What somebody has set up goes at the pace that they have set, and takes nothing of what they may ask themselves.
        if let Some(who) = who.as_ref().filter(|who| !matches!(who.proof(), Proof::Recorded(_))) {
            self.0.count(who, &slots, works)?;
            for namespace in &reach[..] {
                self.0.ports.throttle.count(who, &Home::Namespace(namespace.clone()), Work::Read)?;
            }
        }
        self.0.ports.audit.kept().await?;
        Ok(Scope { who, slots, reach, rpc: PhantomData })
    }
}

fn ended() -> Error {
    Error::new(Code::Unauthenticated, "the credentials that this was begun with have ended")
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
        Place::Cluster | Place::Wherever | Place::Unsupported(_) => "a place",
        Place::Namespace(_) => "a namespace",
        Place::Experiment(_) => "an experiment",
        Place::Run(_) => "a run",
        Place::Pipeline(_) => "a pipeline",
        Place::PipelineVersion(_) => "a pipeline version",
        Place::RecurringRun(_) => "a recurring run",
        Place::Task(_) => "a task",
        Place::Artifact(_) => "an artifact",
    };
    Error::invalid(format!("the request does not name {what}"))
}

/// One check of one call.
pub(crate) struct Ask<'a, 'r> {
    pub(crate) inner: &'a Inner,
    pub(crate) rpc: &'static str,
    pub(crate) who: &'a Identity,
    pub(crate) at: At<'r>,
    /// What the checks of this call have looked up, so that all of them are about the same.
    pub(crate) found: &'a mut Vec<(Id<'r>, Option<Located>)>,
}

impl Ask<'_, '_> {
    /// Whether the caller may do what the check asks, there and to an object of that name.
    pub(crate) async fn may(&self, home: &Home, name: &str) -> Result<bool> {
        let why = self.inner.decide(self.who, self.at.verb, self.at.resource, home, name).await?;
        self.record(Some(home), name, why)?;
        Ok(why.allows())
    }

    /// Has a decision taken down.
    pub(crate) fn record(&self, home: Option<&Home>, name: &str, why: Why) -> Result<()> {
        // What is only tried is no decision, unless something comes of it.
        if self.at.if_held && !why.allows() {
            return Ok(());
        }
        let right = Some((self.at.verb, self.at.resource));
        self.inner.ports.audit.decided(&Decided { what: self.rpc, who: self.who, right, home, name, why })
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
        let scope = match self.who.scope().reaches(verb, home, &self.inner.settings.server_namespace) {
            true => "",
            false => " with this token, which is not good for it",
        };
        let user = self.who.user();
        Error::new(Code::PermissionDenied, format!("{user} may not {verb} {resource}{dot}{group} {place}{scope}"))
    }
}

impl Inner {
    pub(crate) fn single_user(&self) -> Option<&Arc<Identity>> {
        match &self.policy {
            Policy::SingleUser(identity) => Some(identity),
            Policy::Tenants { .. } => None,
        }
    }

    /// Whether credentials that were good still are.
    async fn still_holds(&self, who: &Identity) -> Result<bool> {
        let is_past = who.until().is_some_and(|until| until <= self.ports.clock.now());
        Ok(!is_past && self.ports.credentials.hold(who.proof()).await?)
    }

    /// Counts an admitted call in each of its places, by the most that it does there.
    fn count(&self, who: &Identity, slots: &[Option<Slot>], works: [Work; MAX_GRANTS]) -> Result<()> {
        let homes = || slots.iter().zip(works).filter_map(|(slot, work)| Some((&slot.as_ref()?.home, work)));
        for (at, (home, _)) in homes().enumerate() {
            if homes().take(at).any(|(before, _)| before == home) {
                continue;
            }
            let most = homes().filter(|(other, _)| *other == home).map(|(_, work)| work).max();
            self.ports.throttle.count(who, home, most.unwrap_or(Work::Read))?;
        }
        Ok(())
    }

    /// Has something taken down that takes no right but to be logged in.
    fn logged_in(&self, what: &'static str, who: &Identity, name: &str, why: Why) -> Result<()> {
        self.ports.audit.decided(&Decided { what, who, right: None, home: None, name, why })
    }

    pub(crate) async fn decide(
        &self,
        who: &Identity,
        verb: Verb,
        resource: Resource,
        home: &Home,
        name: &str,
    ) -> Result<Why> {
        self.policy.decide(who, (verb, resource), home, name, &self.settings.server_namespace).await
    }
}
