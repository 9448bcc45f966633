//! Where objects live.
use crate::{Error, Result};
use std::{fmt, sync::Arc};

/// The longest name of a namespace, as Kubernetes has it (RFC 1123 label).
const MAX_NAME: usize = 63;

/// A namespace's name. Naming one gives no right to it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Namespace(Arc<str>);

impl Namespace {
    /// Reads a name: an RFC 1123 label.
    ///
    /// # Errors
    /// `InvalidArgument` for anything else, so that no other text reaches a path, a query or a log.
    pub fn parse(name: &str) -> Result<Self> {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let edge = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let bytes = name.as_bytes();
        if bytes.len() <= MAX_NAME && bytes.iter().all(|&b| inner(b)) && edge(bytes.first()) && edge(bytes.last()) {
            return Ok(Self(name.into()));
        }
        let shown: String = name.chars().take(MAX_NAME).collect();
        Err(Error::invalid(format!(
            "namespace {shown:?} is not a valid name: at most {MAX_NAME} lower-case letters, digits and '-', with a \
             letter or digit at both ends"
        )))
    }

    /// The one namespace of single-user mode, whose objects show no namespace.
    pub fn single_user() -> Self {
        Self("".into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for Namespace {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The compartment of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Home {
    Namespace(Namespace),
    /// Readable by everybody who is logged in, such as a shared pipeline.
    Shared,
    /// Of no tenant at all.
    Cluster,
}

impl Home {
    /// What stands for `Shared` in a row. No namespace can have this name.
    const SHARED: &str = "*";
    /// What stands for `Cluster` in a query: no row is of that scope, so it finds nothing.
    const NOWHERE: &str = "/";

    /// How a row says it.
    pub fn as_column(&self) -> &str {
        match self {
            Home::Namespace(namespace) => namespace.as_str(),
            Home::Shared => Self::SHARED,
            Home::Cluster => Self::NOWHERE,
        }
    }

    /// Reads what `as_column` wrote.
    pub fn from_column(text: &str) -> Self {
        if text == Self::SHARED { Home::Shared } else { Home::Namespace(Namespace(text.into())) }
    }

    /// The namespace, if it is one.
    pub fn namespace(&self) -> Option<&Namespace> {
        match self {
            Home::Namespace(namespace) => Some(namespace),
            Home::Shared | Home::Cluster => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "jane-doe", "0", &"x".repeat(63)] {
            assert_eq!(Namespace::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "-", "a-", "-a", "A", "a.b", "a/b", "..", "*", "a\0", "ä", &"x".repeat(64)] {
            assert!(Namespace::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn homes_survive_a_row() {
        for home in
            [Home::Shared, Home::Namespace(Namespace::single_user()), Home::Namespace(Namespace::parse("a").unwrap())]
        {
            assert_eq!(Home::from_column(home.as_column()), home);
        }
    }
}
