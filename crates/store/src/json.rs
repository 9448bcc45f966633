//! Columns that hold JSON.
use crate::Error;
use serde::{Serialize, de::DeserializeOwned};

/// The text of a value that is made of plain data.
pub(crate) fn text(value: &impl Serialize) -> String {
    #[expect(clippy::expect_used, reason = "serialising plain data with text keys into memory cannot fail")]
    serde_json::to_string(value).expect("plain data becomes JSON")
}

/// Reads what `text` wrote.
pub(crate) fn value<T: DeserializeOwned>(column: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|source| Error::Row { column, source })
}
