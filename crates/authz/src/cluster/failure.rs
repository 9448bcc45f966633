//! Why the cluster cannot be heard.
use super::version::Version;
use http::StatusCode;
use kube::core::Status;
use std::{error::Error as _, fmt::Write as _, time::Duration};

/// What went wrong with a request or a watch.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("no answer after {0:?}")]
    Late(Duration),
    #[error("{}", refusal(.0))]
    Refused(Box<Status>),
    /// The API server no longer has what came after the version from which a watch was to go on.
    #[error("the history that the watch was to go on from is gone")]
    Expired,
    #[error("{}", causes(.0))]
    Broken(#[source] kube::Error),
    #[error("the watch was told of version {seen} when there was {there} before it began")]
    Behind { seen: Version, there: Version },
    #[error("the cluster is at version {there}, and was at {seen} before: it may have been restored from a backup")]
    Back { seen: Version, there: Version },
    #[error("an answer cannot be used: {0}")]
    Strange(String),
    #[error("the changes of the rights have ended")]
    Ended,
}

impl Failure {
    /// Whether nothing that was heard so far may be built upon.
    pub(super) fn loses_place(&self) -> bool {
        !matches!(self, Failure::Late(_) | Failure::Refused(_) | Failure::Broken(_))
    }
}

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Failure::from(status),
            kube::Error::SerdeError(error) => Failure::Strange(error.to_string()),
            error => Failure::Broken(error),
        }
    }
}

impl From<Box<Status>> for Failure {
    fn from(status: Box<Status>) -> Self {
        if status.code == StatusCode::GONE { Failure::Expired } else { Failure::Refused(status) }
    }
}

fn refusal(status: &Status) -> String {
    let Status { code, message, .. } = status;
    let help = match StatusCode::from_u16(*code) {
        Ok(StatusCode::FORBIDDEN) => "; give this server's account the ClusterRole that docs/OPERATIONS.md has",
        Ok(StatusCode::UNAUTHORIZED) => "; its credentials are no good",
        Ok(StatusCode::NOT_FOUND) => "; the cluster does not have this kind, such as one without Kubeflow's Profiles",
        _ => "",
    };
    format!("the API server answered {code}: {message}{help}")
}

/// The error with its causes, none twice.
fn causes(error: &kube::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            let _ = write!(text, ": {words}");
        }
        next = cause.source();
    }
    text
}
