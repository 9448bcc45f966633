//! Callers.
use domain::{Code, Error, Result};
use std::{fmt, sync::Arc};

/// Names that begin with this are Kubernetes' own.
const SYSTEM_PREFIX: &str = "system:";
/// The group of everybody who is logged in.
const AUTHENTICATED: &str = "system:authenticated";

/// An authenticated caller. Only [`Authenticators`] make one.
#[derive(PartialEq, Eq, Hash)]
pub struct Identity {
    user: Box<str>,
    groups: Box<[Box<str>]>,
}

impl Identity {
    /// The user's name, without any prefix of a proxy.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The groups, `system:authenticated` among them.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(|group| &**group)
    }

    pub(crate) fn make(user: &str, groups: impl IntoIterator<Item = impl AsRef<str>>) -> Arc<Self> {
        let mut all: Vec<Box<str>> = groups.into_iter().map(|group| group.as_ref().into()).collect();
        all.push(AUTHENTICATED.into());
        Arc::new(Self { user: user.into(), groups: all.into() })
    }

    /// An identity out of thin air, for tests.
    #[cfg(feature = "testing")]
    pub fn forge(user: &str, groups: &[&str]) -> Arc<Self> {
        Self::make(user, groups)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.user, self.groups)
    }
}

/// What authentication leaves in the extensions of a request.
#[derive(Clone, Debug)]
pub enum Caller {
    Known(Arc<Identity>),
    /// Credentials came, and were no good. The text says why, without repeating them.
    Refused(Arc<str>),
    /// No credentials came.
    Nobody,
}

impl Caller {
    /// The identity.
    ///
    /// # Errors
    /// `Unauthenticated`, with the reason.
    pub fn identity(&self) -> Result<&Arc<Identity>> {
        let why = match self {
            Caller::Known(identity) => return Ok(identity),
            Caller::Refused(why) => why,
            Caller::Nobody => "no credentials came with it; send an `authorization: Bearer TOKEN` header",
        };
        Err(Error::new(Code::Unauthenticated, format!("the request is not authenticated: {why}")))
    }
}

/// The right to mint identities. Made once, with the gate; whoever holds it is trusted to have checked credentials.
#[derive(Debug)]
pub struct Authenticators(());

impl Authenticators {
    pub(crate) fn new() -> Self {
        Self(())
    }

    /// The caller that a token, a header or a claim names.
    ///
    /// # Errors
    /// `Unauthenticated` for an empty name, and for names and groups that begin with `system:`: Kubernetes alone
    /// vouches for those.
    pub fn identity(&self, user: &str, groups: &[String]) -> Result<Arc<Identity>> {
        check_names(user, groups).map_err(|why| Error::new(Code::Unauthenticated, why))?;
        Ok(Identity::make(user, groups))
    }

    /// The same check without minting, for whoever stores names to be used later.
    ///
    /// # Errors
    /// `InvalidArgument`, saying what is wrong with which name.
    pub fn check(user: &str, groups: &[String]) -> Result<()> {
        check_names(user, groups).map_err(Error::invalid)
    }
}

fn check_names(user: &str, groups: &[String]) -> Result<(), String> {
    if user.is_empty() {
        return Err("the user's name is empty".into());
    }
    for (kind, name) in std::iter::once(("user", user)).chain(groups.iter().map(|group| ("group", group.as_str()))) {
        if name.starts_with(SYSTEM_PREFIX) {
            return Err(format!("{kind} {name:?} begins with `{SYSTEM_PREFIX}`, which only Kubernetes may vouch for"));
        }
        if name.chars().any(char::is_control) {
            return Err(format!("{kind} {name:?} contains a control character"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_kubernetes_are_refused() {
        let authenticators = Authenticators::new();
        let group = |name: &str| vec![name.to_owned()];
        assert_eq!(authenticators.identity("jane@example.com", &group("ml")).unwrap().groups().count(), 2);
        for (user, groups) in [
            ("", vec![]),
            ("system:admin", vec![]),
            ("system:serviceaccount:a:b", vec![]),
            ("jane", group("system:masters")),
            ("jane\n", vec![]),
        ] {
            assert_eq!(authenticators.identity(user, &groups).unwrap_err().code(), Code::Unauthenticated, "{user:?}");
        }
    }
}
