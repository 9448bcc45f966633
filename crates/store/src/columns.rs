//! Columns that hold more than their type says: JSON, words, moments that may be absent.
use crate::Error;
use domain::{StorageState, Timestamp};
use serde::{Serialize, de::DeserializeOwned};

/// The text of a value that is made of plain data.
pub(crate) fn text(value: &impl Serialize) -> String {
    #[expect(clippy::expect_used, reason = "serialising plain data with text keys into memory cannot fail")]
    serde_json::to_string(value).expect("plain data becomes JSON")
}

/// Reads what `text` wrote.
pub(crate) fn value<T: DeserializeOwned>(column: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Row { column, source: error.into() })
}

/// Reads one of a few words.
pub(crate) fn word<T>(column: &'static str, text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
    parse(text).ok_or_else(|| Error::Row { column, source: format!("{text:?} is not one of its words").into() })
}

/// Reads a moment that 0 stands for the absence of.
pub(crate) fn moment(micros: i64) -> Option<Timestamp> {
    (micros != 0).then_some(Timestamp(micros))
}

/// What the column of a storage state holds for what a client calls it, in either version of the API.
pub(crate) fn storage_state(text: &str) -> Option<String> {
    StorageState::parse(text).map(|state| state.as_str().to_owned())
}
