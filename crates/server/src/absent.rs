//! What the API has and this server does not.
use domain::Error;

/// Fetching what a caller names: the server could be made to call addresses that only it can reach.
pub(crate) fn by_url() -> Error {
    Error::unimplemented("pipelines are not fetched from URLs here: download the package and upload it")
}

/// Retrying a run.
pub(crate) fn retry(id: &str) -> Error {
    Error::unimplemented(format!(
        "run {id} cannot be retried: this version of the server has no retry; create it again"
    ))
}

/// Metrics of v1 runs.
pub(crate) fn run_metrics() -> Error {
    Error::unimplemented("metrics of v1 runs are not stored here: write a system.Metrics artifact instead")
}
