//! Resource versions: how far somebody has come in the history of the cluster.
use serde_json::Value;
use std::{cmp::Ordering, fmt};

/// A resource version, as the API server gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version(String);

impl Version {
    /// `None` for an empty one, which would mean another thing in a request.
    pub(super) fn new(text: impl Into<String>) -> Option<Self> {
        Some(text.into()).filter(|text| !text.is_empty()).map(Self)
    }

    /// That of an object or of a list.
    pub(super) fn of(object: &Value) -> Option<Self> {
        object.pointer("/metadata/resourceVersion").and_then(Value::as_str).and_then(Self::new)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is sure to be before the other one. Versions are decimal numbers and grow (Kubernetes documentation,
    /// "Resource versions"); of an API server whose versions are something else nothing is said.
    pub(super) fn is_before(&self, other: &Version) -> bool {
        let number = |version: &Version| !version.0.starts_with('0') && version.0.bytes().all(|b| b.is_ascii_digit());
        let order = || self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0));
        number(self) && number(other) && order() == Ordering::Less
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_and_nothing_else() {
        for (one, other, before) in [
            ("9", "10", true),
            ("10", "9", false),
            ("10", "10", false),
            ("18446744073709551615", "18446744073709551616", true),
            ("a", "b", false),
            ("1", "b", false),
            ("09", "10", false),
        ] {
            let version = |text: &str| Version::new(text).unwrap();
            assert_eq!(version(one).is_before(&version(other)), before, "{one} {other}");
        }
        assert_eq!(Version::new(""), None);
    }
}
