//! What the API has and this server does not.
use domain::Error;

/// Visualizations.
pub(crate) fn visualizations() -> Error {
    Error::unimplemented(
        "visualizations are not made here: they run code of the caller's choice beside the server. Let a task of the \
         pipeline write an HTML or Markdown artifact instead",
    )
}
