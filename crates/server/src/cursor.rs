//! What clients come back with to go on where they were: JSON, which they are not to look into.
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use domain::{Error, Result};
use serde::{Serialize, de::DeserializeOwned};

/// The longest that is read, in bytes: for a URL there is less room anyway.
const LONGEST: usize = 256 << 10;

/// A cursor as text.
///
/// # Errors
/// If there is no JSON of it, which is a bug.
pub(crate) fn write(cursor: &impl Serialize) -> Result<String> {
    Ok(BASE64.encode(serde_json::to_vec(cursor).map_err(Error::internal)?))
}

/// Reads a cursor that `rpc` has given; the empty one is where everything begins.
///
/// # Errors
/// `InvalidArgument` if it is none.
pub(crate) fn read<T: Default + DeserializeOwned>(text: &str, rpc: &str) -> Result<T> {
    if text.is_empty() {
        return Ok(T::default());
    }
    let json = (text.len() <= LONGEST).then(|| BASE64.decode(text).ok()).flatten();
    let cursor = json.and_then(|json| serde_json::from_slice(&json).ok());
    cursor.ok_or_else(|| Error::invalid(format!("cursor is not one that {rpc} has given")))
}
