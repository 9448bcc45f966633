//! Whose a token is, by its claims.
use super::super::{Refusal, Verdict};
use access::{Claims, Proof};
use domain::Timestamp;
use serde_json::{Map, Value};

/// Which claims name the user and their groups, and what is put before the names.
#[derive(Clone, Debug)]
pub struct OidcClaims {
    pub user: String,
    pub user_prefix: String,
    pub groups: String,
    pub groups_prefix: String,
}

impl Default for OidcClaims {
    /// `email` and `groups`, as they are.
    fn default() -> Self {
        Self { user: EMAIL.into(), user_prefix: String::new(), groups: "groups".into(), groups_prefix: String::new() }
    }
}

/// The standard claims of a mail address (OpenID Connect Core, section 5.1).
const EMAIL: &str = "email";
const EMAIL_VERIFIED: &str = "email_verified";

impl OidcClaims {
    /// Whom the body of a verified token names.
    pub(super) fn read(&self, body: &Map<String, Value>, ends: Timestamp) -> Verdict {
        let name = &self.user;
        let user = match body.get(name).and_then(Value::as_str) {
            Some(user) if !user.trim().is_empty() => user,
            _ => {
                return Err(Refusal::new(format!(
                    "the token has no `{name}` claim, which says here who it is; ask its issuer for a scope that gives it"
                )));
            }
        };
        // Some issuers let people type in any address. One that says nothing of it vouches for what it gives.
        let unverified = body.get(EMAIL_VERIFIED).is_some_and(|it| *it != Value::Bool(true) && *it != "true");
        if name == EMAIL && unverified {
            return Err(Refusal::new(
                "the issuer has not verified the token's `email`; verify it there, and log in again",
            ));
        }
        let groups = self.groups(body.get(&self.groups))?;
        let groups = groups.into_iter().map(|group| format!("{}{group}", self.groups_prefix)).collect();
        let user = format!("{}{user}", self.user_prefix);
        Ok(Claims { groups, until: Some(ends), ..Claims::new(user, Proof::Oidc) })
    }

    fn groups<'a>(&self, claim: Option<&'a Value>) -> Result<Vec<&'a str>, Refusal> {
        let groups = match claim {
            None | Some(Value::Null) => Some(Vec::new()),
            Some(Value::String(group)) => Some(vec![group.as_str()]),
            Some(Value::Array(groups)) => groups.iter().map(Value::as_str).collect(),
            Some(_) => None,
        };
        match groups {
            Some(groups) if groups.iter().all(|group| !group.is_empty()) => Ok(groups),
            _ => Err(Refusal::new(format!("the token's `{}` claim is no list of names", self.groups))),
        }
    }
}
