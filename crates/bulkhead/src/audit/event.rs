//! One event, and how it looks where it goes.
use access::Decided;
use domain::{Home, Timestamp, clipped};
use serde::{Serialize, Serializer};
use std::sync::Arc;
use store::AuditEvent;
use tracing::Span;

tokio::task_local! {
    static REQUEST: (Arc<str>, Span);
}

/// Lets what is decided on the way of a request carry its id, and what it makes happen name the span of its trace.
pub(crate) fn with_request<F: Future>(id: &str, traced: Span, way: F) -> impl Future<Output = F::Output> {
    REQUEST.scope((id.into(), traced), way)
}

/// A decision, in the words of the trail. docs/ACCESS.md, "The audit trail", describes the fields.
#[derive(Debug, Serialize)]
pub(super) struct Event<'a> {
    #[serde(rename = "time", serialize_with = "precise")]
    at: Timestamp,
    #[serde(skip_serializing_if = "str::is_empty")]
    request_id: Arc<str>,
    decision: &'static str,
    what: &'a str,
    user: &'a str,
    proof: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    verb: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    resource: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    object: &'a str,
    reason: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    peer: &'a str,
    /// Events like this one that were not written.
    #[serde(skip_serializing_if = "is_zero")]
    unwritten: u64,
}

fn precise<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&at.precise())
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl<'a> Event<'a> {
    pub(super) fn of(at: Timestamp, decided: &'a Decided<'_>) -> Self {
        let Decided { what, who, right, home, name, why } = decided;
        Self {
            at,
            request_id: request_id(),
            decision: if why.allows() { "allowed" } else { "denied" },
            what,
            user: who.user(),
            proof: who.proof().to_string(),
            verb: right.map_or("", |(verb, _)| verb.as_str()),
            resource: right.map_or("", |(_, resource)| resource.as_str()),
            namespace: match home {
                None => "",
                Some(Home::Namespace(namespace)) => namespace.as_str(),
                Some(Home::Shared) => "(shared)",
                Some(Home::Cluster) => "(cluster)",
            },
            object: clipped(name),
            reason: why.to_string(),
            peer: "",
            unwritten: 0,
        }
    }

    /// Of a caller who is nobody.
    pub(super) fn stranger(at: Timestamp, what: &'a str, peer: &'a str, why: &str, unwritten: u64) -> Self {
        Self {
            at,
            request_id: request_id(),
            decision: "denied",
            what: clipped(what),
            user: "",
            proof: String::new(),
            verb: "",
            resource: "",
            namespace: "",
            object: "",
            reason: why.to_owned(),
            peer,
            unwritten,
        }
    }

    /// As a line of the server's own log: refusals at `info`, the rest at `debug`.
    pub(super) fn log(&self) {
        let Event { what: rpc, user, proof, verb, resource, namespace, object: name, reason, peer, .. } = self;
        let unwritten = self.unwritten;
        match (self.decision, peer.is_empty()) {
            ("allowed", _) => {
                tracing::debug!(target: "audit", rpc, user, proof, verb, resource, namespace, name, reason, "allowed");
            }
            (_, true) => {
                tracing::info!(target: "audit", rpc, user, proof, verb, resource, namespace, name, reason, "denied");
            }
            (_, false) => tracing::info!(target: "audit", rpc, peer, reason, unwritten, "denied"),
        }
    }

    pub(super) fn to_row(&self) -> AuditEvent {
        let why = if self.peer.is_empty() { String::new() } else { format!(" (from {})", self.peer) };
        AuditEvent {
            id: uuid::Uuid::new_v4().to_string(),
            at: self.at,
            request_id: self.request_id.to_string(),
            what: self.what.to_owned(),
            user: self.user.to_owned(),
            proof: self.proof.clone(),
            verb: self.verb.to_owned(),
            resource: self.resource.to_owned(),
            namespace: self.namespace.to_owned(),
            object: self.object.to_owned(),
            allowed: self.decision == "allowed",
            reason: format!("{}{why}", self.reason),
        }
    }
}

/// The id of the request on whose way this is asked; empty where there is none.
pub(crate) fn request_id() -> Arc<str> {
    REQUEST.try_with(|(id, _)| id.clone()).unwrap_or_default()
}

/// The span of its trace; none where there is no request.
pub(crate) fn request_span() -> Span {
    REQUEST.try_with(|(_, traced)| traced.clone()).unwrap_or_else(|_| Span::none())
}
