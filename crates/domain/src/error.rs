//! What can go wrong, as a client may hear it.
//!
//! `Error` is for everything on the way of a request: its message is written for the caller, its source is for the
//! log alone. Libraries with failures of their own use `thiserror` and turn into this at their boundary; `anyhow` is
//! for the binary and for tests.
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// The kinds of failure that a client can tell apart. Each maps to one gRPC status in `api::status`, and from there
/// to one HTTP status in `gateway`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Code {
    /// The request is wrong whatever the state of the server.
    InvalidArgument,
    /// The request does not fit the state of the object.
    FailedPrecondition,
    /// There is no such object, or none that the caller may know of.
    NotFound,
    /// The name or id is taken.
    AlreadyExists,
    /// The object is in the way of itself; KFP answers this where a retry of another kind may work.
    Aborted,
    /// The caller is known and may not.
    PermissionDenied,
    /// The caller is not known.
    Unauthenticated,
    /// The request is larger, or more frequent, than is allowed.
    ResourceExhausted,
    /// It took longer than it may.
    DeadlineExceeded,
    /// The feature does not exist here.
    Unimplemented,
    /// Something that is needed is away for now; try again.
    Unavailable,
    /// A bug, or a broken machine. The details are in the log.
    Internal,
}

/// The kinds of objects that have ids, as messages name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Experiment,
    Pipeline,
    PipelineVersion,
    RecurringRun,
    Run,
    Task,
    Artifact,
    Token,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Experiment => "Experiment",
            Kind::Pipeline => "Pipeline",
            Kind::PipelineVersion => "PipelineVersion",
            Kind::RecurringRun => "RecurringRun",
            Kind::Run => "Run",
            Kind::Task => "Task",
            Kind::Artifact => "Artifact",
            Kind::Token => "Token",
        })
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A failure with a text that may be shown to the client and, behind it, a cause that may not.
#[derive(Debug)]
pub struct Error {
    code: Code,
    message: String,
    retry_after: Option<Duration>,
    source: Option<Source>,
}

impl Error {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None, source: None }
    }

    /// The request is wrong: say what, where, and what would be right.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    /// No such object. The only words for that: the gate says them for foreign objects and the store for absent
    /// ones, and they must not differ.
    pub fn not_found(kind: Kind, id: &str) -> Self {
        Self::new(Code::NotFound, format!("{kind} {} not found", clipped(id)))
    }

    pub fn precondition(message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, message)
    }

    pub fn exists(message: impl Into<String>) -> Self {
        Self::new(Code::AlreadyExists, message)
    }

    pub fn unimplemented(message: impl Into<String>) -> Self {
        Self::new(Code::Unimplemented, message)
    }

    /// A failure that is ours. The client hears nothing of the cause; the log does.
    pub fn internal(source: impl Into<Source>) -> Self {
        let message = "Internal Server Error; the server's log has the cause under this request's x-request-id";
        Self { source: Some(source.into()), ..Self::new(Code::Internal, message) }
    }

    /// Something that is needed is away. The client hears `message`, the log the cause as well.
    pub fn unavailable(message: impl Into<String>, source: impl Into<Source>) -> Self {
        Self { source: Some(source.into()), ..Self::new(Code::Unavailable, message) }
    }

    /// More was asked for than is allowed, which is to be different after a while.
    pub fn exhausted(message: impl Into<String>, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(Code::ResourceExhausted, message) }
    }

    /// How long to wait before it is worth another try, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    pub fn code(&self) -> Code {
        self.code
    }

    /// The text for the client.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The failure with what is behind it, for the log.
    pub fn chain(&self) -> String {
        let mut text = self.message.clone();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }

    /// The same failure with more words in front: `place: message`.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }
}

/// The most characters that are repeated of what a client sends. No id of ours is as long.
const MAX_REPEATED: usize = 256;

/// A text of a client's, as far as an answer or a record repeats it.
pub fn clipped(text: &str) -> &str {
    match text.char_indices().nth(MAX_REPEATED) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
