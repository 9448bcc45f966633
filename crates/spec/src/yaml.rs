//! YAML (and so JSON) text to and from JSON values, with the options that pipelines are read with.
use crate::bounds;
use domain::{Error, Result};
use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, Options, options::NonFiniteFloatPolicy};

/// The longest part of a parser's message that is passed on: it can quote the text that it could not take.
const MESSAGE: usize = 400;

/// Reads all documents of a text, leaving out empty ones.
///
/// # Errors
/// `InvalidArgument` with line and column for what is not YAML or spends more than the budget.
pub(crate) fn read(text: &str) -> Result<Vec<Value>> {
    serde_saphyr::from_multiple_with_options(text, options()).map_err(|error| {
        let message = clip(&error.without_snippet().to_string());
        match error.location() {
            Some(at) if !message.contains("line ") => {
                Error::invalid(format!("not valid YAML at line {}, column {}: {message}", at.line(), at.column()))
            }
            _ => Error::invalid(format!("not valid YAML: {message}")),
        }
    })
}

/// Writes one document, keys in the order that they have in the map.
pub(crate) fn write(document: &Value) -> Result<String> {
    let options = serde_saphyr::ser_options! { compact_list_indent: true };
    serde_saphyr::to_string_with_options(document, options).map_err(Error::internal)
}

/// Shortens a message that may quote a whole document.
pub(crate) fn clip(message: &str) -> String {
    match message.char_indices().nth(MESSAGE) {
        Some((end, _)) => format!("{}...", &message[..end]),
        None => message.to_owned(),
    }
}

/// As the reader of the reference implementation reads: `yes` and `012` are text, merge keys are merged. Aliases
/// are honoured within a budget: a few lines of them can stand for gigabytes.
fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: bounds::DEPTH,
            max_nodes: bounds::NODES,
            max_documents: 16,
            max_aliases: 10_000,
            max_merge_keys: 1_000,
            // `bounds` counts text, this numbers and tags as well.
            max_total_scalar_bytes: 2 * bounds::BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 2 * bounds::NODES },
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::Reject,
        with_snippet: false,
        emit_comments: false,
    }
}
