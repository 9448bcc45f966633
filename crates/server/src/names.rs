//! What may be a name, and tags.
use domain::{Error, Result, Tags};

/// The longest names, in characters (KFP API).
pub(crate) const EXPERIMENT: usize = 128;
pub(crate) const PIPELINE: usize = 128;
pub(crate) const VERSION: usize = 127;
pub(crate) const RUN: usize = 255;
/// The longest of other texts, in characters.
pub(crate) const URL: usize = 4096;
pub(crate) const SERVICE_ACCOUNT: usize = 253;
/// The longest description, in characters.
const DESCRIPTION: usize = 65_536;

/// Tags of one object, and the characters of a key or a value (KFP API).
const TAGS: usize = 20;
const TAG: usize = 63;

/// Passes a name that is there and not too long.
pub(crate) fn name(what: &str, name: &str, longest: usize) -> Result<()> {
    if name.trim().is_empty() {
        return Err(Error::invalid(format!("{what} is required")));
    }
    length(what, name, longest)?;
    if name.chars().any(char::is_control) {
        return Err(Error::invalid(format!("{what} contains a control character")));
    }
    Ok(())
}

/// Passes a text that is not too long.
pub(crate) fn length(what: &str, text: &str, longest: usize) -> Result<()> {
    let length = text.chars().count();
    if length > longest {
        return Err(Error::invalid(format!(
            "{what} is too long: {length} characters, and at most {longest} are allowed"
        )));
    }
    Ok(())
}

pub(crate) fn description(text: &str) -> Result<()> {
    length("description", text, DESCRIPTION)
}

/// Passes a set of tags (KFP API: at most 20, keys of 1 to 63 characters without dots, values up to 63).
pub(crate) fn tags(tags: &Tags) -> Result<()> {
    if tags.len() > TAGS {
        return Err(Error::invalid(format!("{} tags are too many: at most {TAGS} are allowed", tags.len())));
    }
    for (key, value) in tags {
        name("a tag's key", key, TAG)?;
        length(&format!("the value of tag {key:?}"), value, TAG)?;
        if key.contains('.') {
            return Err(Error::invalid(format!("the tag key {key:?} contains a dot, which keys may not")));
        }
    }
    Ok(())
}

/// Fills a name from the display name or the other way round: either identifies a new object.
pub(crate) fn both(name: String, display_name: String) -> (String, String) {
    match (name.is_empty(), display_name.is_empty()) {
        (true, _) => (display_name.clone(), display_name),
        (_, true) => (name.clone(), name),
        _ => (name, display_name),
    }
}
