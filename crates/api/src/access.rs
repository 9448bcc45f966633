//! The vocabulary that the generated rules are written in. Nothing here decides.
pub mod refs;
mod words;

use domain::Result;
use futures::{StreamExt, stream::BoxStream};
use tonic::Status;

pub use words::{IsResource, IsVerb, Resource, Verb, resource, verb};

/// The most ids that a list in a request may have: each is looked for.
pub const MAX_IDS: usize = 100;

/// The most distinct grants that one RPC can yield.
pub const MAX_GRANTS: usize = 6;

/// What a call must satisfy, read from the `.proto` when this crate was built.
pub trait Rule: Send + Sync + 'static {
    /// The gRPC path, `/package.Service/Method`.
    const PATH: &'static str;
    type Request: Send + Sync;
    type Checks<'a>: AsRef<[Check<'a>]> + Send;
    /// The checks, with what this request says filled in.
    fn checks(req: &Self::Request) -> Self::Checks<'_>;
}

/// The RPC always yields this grant once admitted.
#[diagnostic::on_unimplemented(message = "the access rule of `{Self}` does not grant `{V}` on `{R}`")]
pub trait Grants<V, R> {
    const SLOT: usize;
}

/// The RPC yields this grant when the request names the object.
#[diagnostic::on_unimplemented(message = "the access rule of `{Self}` does not optionally grant `{V}` on `{R}`")]
pub trait MayGrant<V, R> {
    const SLOT: usize;
}

/// The RPC reaches each namespace where its caller holds the verb on the resource.
#[diagnostic::on_unimplemented(message = "the access rule of `{Self}` does not reach wherever `{V}` on `{R}` is held")]
pub trait Reaches<V, R> {}

/// Decides whether a call may go on. `access::Gate` is the one implementation.
pub trait Admit: Send + Sync + 'static {
    /// What authentication leaves in a request's extensions.
    type Caller: Clone + Send + Sync + 'static;
    /// What an admitted call gets.
    type Scope<R: Rule>: Send;
    /// Admits a call of `R`, or says why not. `caller` is absent when no authentication ran, which refuses all but
    /// public RPCs.
    fn admit<R: Rule>(
        &self,
        caller: Option<&Self::Caller>,
        req: &R::Request,
    ) -> impl Future<Output = Result<Self::Scope<R>>> + Send;
}

/// Handlers behind a gate: what the server mounts. The generated adapters implement tonic's service traits for it,
/// so a handler cannot be reached but through `admit`.
#[derive(Debug)]
pub struct Guarded<A, T> {
    gate: A,
    pub(crate) handlers: T,
}

impl<A: Admit, T> Guarded<A, T> {
    pub fn new(gate: A, handlers: T) -> Self {
        Self { gate, handlers }
    }

    pub(crate) async fn admit<R: Rule>(&self, req: &tonic::Request<R::Request>) -> Result<A::Scope<R>, Status> {
        let caller = req.extensions().get::<A::Caller>();
        self.gate.admit::<R>(caller, req.get_ref()).await.map_err(crate::status::from_error)
    }
}

/// Adds a check for each of some ids; if there is none, one for an id that is left out. The generated rules call it.
pub(crate) fn each<'a>(checks: &mut Vec<Check<'a>>, ids: &'a [String], check: impl Fn(&'a str) -> Check<'a>) {
    match ids.len() {
        0 => checks.push(check("")),
        1..=MAX_IDS => checks.extend(ids.iter().map(|id| check(id))),
        _ => checks.push(Check::TooMany),
    }
}

/// A handler's stream as tonic wants it; the adapters of streaming RPCs call it.
pub fn statuses<T: Send + 'static>(items: BoxStream<'static, Result<T>>) -> BoxStream<'static, Result<T, Status>> {
    items.map(|item| item.map_err(crate::status::from_error)).boxed()
}

/// One condition of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check<'a> {
    Public,
    Authenticated,
    At(At<'a>),
    /// The request leaves out what the check is about, which the text names; never admitted.
    Unsaid(&'static str),
    /// The request has a list of more than [`MAX_IDS`] ids; never admitted.
    TooMany,
}

/// The caller must hold a verb on a resource in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At<'a> {
    pub verb: Verb,
    pub resource: Resource,
    pub place: Place<'a>,
    /// The object's RBAC name, where the request gives it; objects found by id bring their own.
    pub name: Option<&'a str>,
    pub empty: Empty,
    /// What the right is needed for: the object that is found by id, or what it refers to.
    pub about: About,
    /// Who does not hold the right goes on without the grant.
    pub if_held: bool,
    /// Which grant of the scope this check fills.
    pub slot: usize,
}

/// What a check is about, given the object that it finds by id. See `Referred` in
/// `proto/bulkhead/access/v1/access.proto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    Itself,
    ServiceAccount,
    Pipeline,
}

/// Where the permission is needed, as the request says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    Cluster,
    /// Each namespace where the right is held.
    Wherever,
    Namespace(&'a str),
    Experiment(&'a str),
    Run(&'a str),
    Pipeline(&'a str),
    PipelineVersion(&'a str),
    RecurringRun(&'a str),
    Task(&'a str),
    Artifact(&'a str),
    /// A v1 reference of a kind that means nothing here; never admitted.
    Unsupported(&'static str),
}

/// What an empty place means. See `WhenEmpty` in `proto/bulkhead/access/v1/access.proto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    Refuse,
    Skip,
    Shared,
    Placed,
}
