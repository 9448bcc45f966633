//! What the gate asks of others. Handlers never see these.
use crate::Identity;
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
        }
    }

    /// The resource of the object: to be able to `get` it is to be able to know that it exists.
    pub(crate) fn resource(self) -> Resource {
        match self {
            Id::Experiment(_) => Resource::Experiments,
            Id::Run(_) => Resource::Runs,
            Id::Pipeline(_) | Id::PipelineVersion(_) => Resource::Pipelines,
            Id::RecurringRun(_) => Resource::Jobs,
        }
    }
}

/// Where an object lives, and what RBAC's `resourceNames` call it: an experiment's name, a pipeline's name (for its
/// versions too), a recurring run's name, a run's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    pub home: Home,
    pub name: String,
}

/// Finds objects whatever their namespace. The store implements it, for the gate alone.
pub trait Locate: Send + Sync + 'static {
    /// Where `id` is, or `None` if it is nowhere.
    fn locate<'a>(&'a self, id: Id<'a>) -> BoxFuture<'a, Result<Option<Located>>>;
}

/// One decision, with all that it was about.
#[derive(Debug)]
pub struct Decided<'a> {
    /// The RPC, or the purpose of a system grant.
    pub what: &'static str,
    pub who: &'a Identity,
    pub verb: Verb,
    pub resource: Resource,
    pub home: &'a Home,
    /// The object's RBAC name, if one was asked for.
    pub name: &'a str,
    pub allowed: bool,
}

/// Hears of every decision.
pub trait Audit: Send + Sync + 'static {
    fn decided(&self, decided: &Decided<'_>);
}
