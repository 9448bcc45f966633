//! What can go wrong around a task.
use std::io;

/// Why a task could not be started, or why it failed although its process did not.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The task, or what the pipeline says of it, is at fault. The text is for its user, without places of this host.
    #[error("{0}")]
    Task(String),
    /// This machine is at fault.
    #[error("{doing}")]
    Io { doing: &'static str, source: io::Error },
}

impl Error {
    pub(crate) fn task(message: impl Into<String>) -> Self {
        Self::Task(message.into())
    }

    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }

    /// The same failure with more words in front.
    pub(crate) fn at(self, place: impl std::fmt::Display) -> Self {
        match self {
            Self::Task(message) => Self::Task(format!("{place}: {message}")),
            other => other,
        }
    }
}
