//! What the gate asks of others. Handlers never see these.
use crate::{Identity, Proof, Why};
use api::access::{Resource, Verb};
use domain::{Home, Kind, Result};
use futures::future::BoxFuture;

/// An object that a request names by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id<'a> {
    Experiment(&'a str),
    Run(&'a str),
    Pipeline(&'a str),
    PipelineVersion(&'a str),
    RecurringRun(&'a str),
    Task(&'a str),
    Artifact(&'a str),
}

impl<'a> Id<'a> {
    /// The kind, as messages name it, and the id itself.
    pub fn parts(self) -> (Kind, &'a str) {
        match self {
            Id::Experiment(id) => (Kind::Experiment, id),
            Id::Run(id) => (Kind::Run, id),
            Id::Pipeline(id) => (Kind::Pipeline, id),
            Id::PipelineVersion(id) => (Kind::PipelineVersion, id),
            Id::RecurringRun(id) => (Kind::RecurringRun, id),
            Id::Task(id) => (Kind::Task, id),
            Id::Artifact(id) => (Kind::Artifact, id),
        }
    }

    /// The resource of the object: to be able to `get` it is to be able to know that it exists.
    pub(crate) fn resource(self) -> Resource {
        match self {
            Id::Experiment(_) => Resource::Experiments,
            Id::Run(_) | Id::Task(_) | Id::Artifact(_) => Resource::Runs,
            Id::Pipeline(_) | Id::PipelineVersion(_) => Resource::Pipelines,
            Id::RecurringRun(_) => Resource::Jobs,
        }
    }
}

/// Where an object lives, what RBAC's `resourceNames` call it (an experiment's name, a pipeline's name, for its
/// versions too, a recurring run's name, a run's id, for its tasks and artifacts too), and what it refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    pub home: Home,
    pub name: String,
    pub refers: Refers,
}

impl Located {
    /// An object that refers to nothing that is checked.
    pub fn new(home: Home, name: impl Into<String>) -> Self {
        Self { home, name: name.into(), refers: Refers::default() }
    }
}

/// What a run or a recurring run was made of. To let it go on is to use that again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refers {
    /// Empty for the default one.
    pub service_account: String,
    /// The id of the stored pipeline; empty for a definition of its own.
    pub pipeline_id: String,
}

/// Finds objects whatever their namespace. The store implements it, for the gate alone.
pub trait Locate: Send + Sync + 'static {
    /// Where `id` is, or `None` if it is nowhere.
    fn locate<'a>(&'a self, id: Id<'a>) -> BoxFuture<'a, Result<Option<Located>>>;
}

/// Says whether credentials that were good when a call began still are. The store implements it, for the gate alone.
pub trait Credentials: Send + Sync + 'static {
    /// Whether they were neither revoked nor removed. When they end by themselves the identity says.
    fn hold<'a>(&'a self, proof: &'a Proof) -> BoxFuture<'a, Result<bool>>;
}

/// One decision, with all that it was about.
#[derive(Debug)]
pub struct Decided<'a> {
    /// The RPC, or the purpose of a system grant.
    pub what: &'static str,
    pub who: &'a Identity,
    /// What for; `None` for what everybody may who is logged in.
    pub right: Option<(Verb, Resource)>,
    /// `None` for that of an object that does not exist.
    pub home: Option<&'a Home>,
    /// The object's RBAC name, if one was asked for; the id of one that does not exist.
    pub name: &'a str,
    pub why: Why,
}

/// Hears of every decision.
pub trait Audit: Send + Sync + 'static {
    /// Takes the decision down.
    ///
    /// # Errors
    /// `Unavailable` if that cannot be done and nothing may be done unrecorded; the call is then refused.
    fn decided(&self, decided: &Decided<'_>) -> Result<()>;

    /// Waits until all that was taken down so far is where it is to be kept.
    ///
    /// # Errors
    /// As of `decided`.
    fn kept(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

/// What a call is to the place where it is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    Read,
    Write,
}

impl Work {
    /// What it is to do that.
    pub(crate) fn of(verb: Verb) -> Self {
        match verb {
            Verb::Get | Verb::List | Verb::ReadArtifact | Verb::Use => Work::Read,
            _ => Work::Write,
        }
    }
}

/// Says whether there is room for one more call. It is asked about calls that are admitted otherwise, so that nobody
/// uses up what is not theirs.
pub trait Throttle: Send + Sync + 'static {
    /// Counts a call, once for each place that it is about.
    ///
    /// # Errors
    /// `ResourceExhausted`, with when to try again.
    fn count(&self, who: &Identity, home: &Home, work: Work) -> Result<()>;
}

/// There is always room.
#[derive(Clone, Copy, Debug)]
pub struct Unlimited;

impl Throttle for Unlimited {
    fn count(&self, _: &Identity, _: &Home, _: Work) -> Result<()> {
        Ok(())
    }
}

/// Finds nothing, revokes nothing, and takes nothing down: for tests.
#[cfg(feature = "testing")]
#[derive(Clone, Copy, Debug)]
pub struct Idle;

#[cfg(feature = "testing")]
impl Locate for Idle {
    fn locate<'a>(&'a self, _: Id<'a>) -> BoxFuture<'a, Result<Option<Located>>> {
        Box::pin(async { Ok(None) })
    }
}

#[cfg(feature = "testing")]
impl Credentials for Idle {
    fn hold<'a>(&'a self, _: &'a Proof) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async { Ok(true) })
    }
}

#[cfg(feature = "testing")]
impl Audit for Idle {
    fn decided(&self, _: &Decided<'_>) -> Result<()> {
        Ok(())
    }
}

#[cfg(feature = "testing")]
impl crate::Ports {
    /// All of them idle.
    pub fn idle() -> Self {
        use std::sync::Arc;
        let clock = Arc::new(domain::SystemClock);
        let throttle = Arc::new(Unlimited);
        let (locate, credentials, audit) = (Arc::new(Idle), Arc::new(Idle), Arc::new(Idle));
        Self { locate, credentials, audit, clock, throttle, review: None }
    }
}
