//! What the API has and this server does not.
use domain::Error;

/// Fetching what a caller names: the server could be made to call addresses that only it can reach.
pub(crate) fn by_url() -> Error {
    Error::unimplemented("pipelines are not fetched from URLs here: download the package and upload it")
}

/// Visualizations.
pub(crate) fn visualizations() -> Error {
    Error::unimplemented(
        "visualizations are not made here: they run code of the caller's choice beside the server. Let a task of the \
         pipeline write an HTML or Markdown artifact instead",
    )
}
