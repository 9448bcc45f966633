//! Callers.
use crate::{Question, TokenScope};
use api::access::{Resource, Verb};
use domain::{Code, Error, Namespace, Result, Timestamp};
use std::{
    collections::BTreeMap,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

/// Names that begin with this are Kubernetes' own.
const SYSTEM_PREFIX: &str = "system:";
/// For how long what was proved of a caller is taken as it was.
const FRESH: Duration = Duration::from_secs(1);
/// The group of everybody who is logged in.
const AUTHENTICATED: &str = "system:authenticated";

/// An authenticated caller. Only [`Authenticators`] make one.
#[derive(PartialEq, Eq)]
pub struct Identity {
    user: Box<str>,
    groups: Box<[Box<str>]>,
    extra: Extra,
    proof: Proof,
    scope: TokenScope,
    until: Option<Timestamp>,
    /// When the credentials were looked at.
    proved: Proved,
}

/// A moment that two identities may differ in and still be one.
#[derive(Clone, Copy, Debug)]
struct Proved(Instant);

impl PartialEq for Proved {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Proved {}

/// What Kubernetes says of a caller besides their name and groups (`UserInfo.extra`); authorizers may go by it.
pub type Extra = BTreeMap<String, Vec<String>>;

/// How a caller has proved who they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    /// An API token, by its id.
    ApiToken(Box<str>),
    /// A JWT of the OpenID Connect issuer.
    Oidc,
    /// A token that Kubernetes has reviewed.
    TokenReview,
    /// The headers of a proxy that is trusted to have asked.
    Header,
    /// A row that says who set up what acts now, and the id of the token that they did it with, if it was one.
    Recorded(Option<Box<str>>),
    /// Nothing: the one user of single-user mode.
    SingleUser,
    /// Nothing: the server itself.
    System,
}

impl fmt::Display for Proof {
    /// As audit events and `WhoAmI` call it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Proof::ApiToken(id) => write!(f, "token {id}"),
            Proof::Oidc => f.write_str("oidc"),
            Proof::TokenReview => f.write_str("tokenreview"),
            Proof::Header => f.write_str("header"),
            Proof::Recorded(None) => f.write_str("recorded"),
            Proof::Recorded(Some(id)) => write!(f, "recorded with token {id}"),
            Proof::SingleUser => f.write_str("single-user"),
            Proof::System => f.write_str("system"),
        }
    }
}

/// What credentials say of a caller, checked by whoever has read them, and not yet an identity.
#[derive(Clone, Debug)]
pub struct Claims {
    pub user: String,
    pub groups: Vec<String>,
    pub extra: Extra,
    pub proof: Proof,
    /// How far the credentials reach.
    pub scope: TokenScope,
    /// When they end; `None` for never, or for those of a single request.
    pub until: Option<Timestamp>,
}

impl Claims {
    /// Claims without groups and without bounds.
    pub fn new(user: impl Into<String>, proof: Proof) -> Self {
        Self {
            user: user.into(),
            groups: Vec::new(),
            extra: Extra::new(),
            proof,
            scope: TokenScope::default(),
            until: None,
        }
    }
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

    pub fn extra(&self) -> &Extra {
        &self.extra
    }

    /// How the caller has proved who they are.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// How far the caller's credentials reach.
    pub fn scope(&self) -> &TokenScope {
        &self.scope
    }

    /// Whether what was proved may have changed since: a request can be a long time on its way, and what is recorded
    /// is older still.
    pub(crate) fn is_old(&self) -> bool {
        self.proved.0.elapsed() > FRESH || matches!(self.proof, Proof::Recorded(_))
    }

    /// When the credentials end, if they do.
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// What a SubjectAccessReview about this caller asks.
    pub(crate) fn asks<'a>(
        &'a self,
        verb: Verb,
        resource: Resource,
        namespace: Option<&'a Namespace>,
        name: &'a str,
    ) -> Question<'a> {
        Question { user: &self.user, groups: &self.groups, extra: &self.extra, verb, resource, namespace, name }
    }

    pub(crate) fn make(claims: Claims) -> Arc<Self> {
        let Claims { user, groups, extra, proof, scope, until } = claims;
        let mut all: Vec<Box<str>> = Vec::with_capacity(groups.len() + 1);
        for group in groups.into_iter().map(String::into_boxed_str).chain([AUTHENTICATED.into()]) {
            if !all.contains(&group) {
                all.push(group);
            }
        }
        let proved = Proved(Instant::now());
        Arc::new(Self { user: user.into(), groups: all.into(), extra, proof, scope, until, proved })
    }

    /// An identity out of thin air, for tests.
    #[cfg(feature = "testing")]
    pub fn forge(user: &str, groups: &[&str]) -> Arc<Self> {
        let groups = groups.iter().map(|&group| group.to_owned()).collect();
        Self::make(Claims { groups, ..Claims::new(user, Proof::Header) })
    }

    /// The identity of any claims, for tests.
    #[cfg(feature = "testing")]
    pub fn forge_from(claims: Claims) -> Arc<Self> {
        Self::make(claims)
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

    /// The caller whom checked credentials name.
    ///
    /// # Errors
    /// `Unauthenticated` for an empty name, and for names and groups that begin with `system:` unless Kubernetes has
    /// reviewed the token: it alone vouches for those.
    pub fn identity(&self, claims: Claims) -> Result<Arc<Identity>> {
        check_names(&claims.user, &claims.groups, claims.proof == Proof::TokenReview)
            .map_err(|why| Error::new(Code::Unauthenticated, why))?;
        Ok(Identity::make(claims))
    }

    /// The same check without minting, for whoever stores names to be used later.
    ///
    /// # Errors
    /// `InvalidArgument`, saying what is wrong with which name.
    pub fn check(user: &str, groups: &[String]) -> Result<()> {
        check_names(user, groups, false).map_err(Error::invalid)
    }
}

fn check_names(user: &str, groups: &[String], by_kubernetes: bool) -> Result<(), String> {
    if user.is_empty() {
        return Err("the user's name is empty".into());
    }
    for (kind, name) in std::iter::once(("user", user)).chain(groups.iter().map(|group| ("group", group.as_str()))) {
        if name.starts_with(SYSTEM_PREFIX) && !by_kubernetes {
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

    fn claims(user: &str, groups: &[&str], proof: Proof) -> Claims {
        Claims { groups: groups.iter().map(|&group| group.to_owned()).collect(), ..Claims::new(user, proof) }
    }

    #[test]
    fn names_of_kubernetes_are_refused() {
        let authenticators = Authenticators::new();
        for proof in [Proof::Header, Proof::Oidc, Proof::ApiToken("t".into())] {
            let known = authenticators.identity(claims("jane@example.com", &["ml"], proof.clone())).unwrap();
            assert_eq!(known.groups().collect::<Vec<_>>(), ["ml", AUTHENTICATED]);
            for (user, groups) in [
                ("", &[][..]),
                ("system:admin", &[]),
                ("system:serviceaccount:a:b", &[]),
                ("jane", &["system:masters"]),
                ("jane", &[AUTHENTICATED]),
                ("jane\n", &[]),
                ("jane", &["a\0"]),
            ] {
                let error = authenticators.identity(claims(user, groups, proof.clone())).unwrap_err();
                assert_eq!(error.code(), Code::Unauthenticated, "{user:?}");
            }
        }
    }

    #[test]
    fn kubernetes_vouches_for_its_names() {
        let authenticators = Authenticators::new();
        let account =
            claims("system:serviceaccount:a:b", &["system:serviceaccounts", AUTHENTICATED], Proof::TokenReview);
        let known = authenticators.identity(account).unwrap();
        assert_eq!(known.groups().collect::<Vec<_>>(), ["system:serviceaccounts", AUTHENTICATED]);
        assert!(authenticators.identity(claims("", &[], Proof::TokenReview)).is_err());
    }
}
