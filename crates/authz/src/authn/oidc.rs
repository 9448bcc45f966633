//! JWTs of an OpenID Connect issuer.
//!
//! A token lets in if it is signed with a key that the issuer publishes now, with an algorithm that needs no shared
//! secret, and if its `iss` is the issuer, its `aud` names us, and the present is between its `nbf` and its `exp`.
mod claims;
mod issuer;
mod key;
mod keys;
mod ring;

pub use claims::OidcClaims;
pub use issuer::OidcError;

use super::{
    Refusal, Verdict,
    jwt::{Unverified, moment},
    verdicts::{Keep, Verdicts},
};
use domain::{Clock, Result, Timestamp};
use issuer::Issuer;
use jsonwebtoken::{Header, Validation, errors::ErrorKind};
use key::{ALGORITHMS, Key};
use keys::Keys;
use serde_json::{Map, Value};
use std::{fmt, sync::Arc, time::Duration};

/// Signatures are not looked at again for so long, nor is whether their key is still published.
const ACCEPTED: Duration = Duration::from_secs(30);

/// The issuer, and what is asked of its tokens.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// The issuer's URL, exactly as it stands in `iss`.
    pub issuer: String,
    /// Authorities that the issuer's certificate may be of, as PEM; `None` for those that this host trusts.
    pub ca: Option<Vec<u8>>,
    /// A token must have been made for one of these.
    pub audiences: Vec<String>,
    /// How far the issuer's clock and ours may be apart.
    pub clock_skew: Duration,
    /// Whose a token is.
    pub claims: OidcClaims,
}

/// Judges the JWTs of one issuer.
pub struct Oidc {
    issuer: String,
    audiences: Vec<String>,
    /// Of clocks, in microseconds.
    skew: i64,
    claims: OidcClaims,
    keys: Arc<Keys>,
    verdicts: Verdicts,
    clock: Arc<dyn Clock>,
}

impl Oidc {
    /// Begins to fetch the issuer's keys, which it may take its time with, and keeps them current until this is dropped.
    ///
    /// # Errors
    /// If the issuer's URL or the authorities cannot be used.
    pub fn start(settings: OidcSettings, clock: Arc<dyn Clock>) -> Result<Self, OidcError> {
        let OidcSettings { issuer, ca, audiences, clock_skew, claims } = settings;
        ring::install();
        let keys = Arc::new(Keys::new(Issuer::new(&issuer, ca.as_deref())?, clock.clone()));
        keys::keep_current(&keys);
        let keep = Keep { accepted: ACCEPTED, refused: Duration::ZERO };
        let verdicts = Verdicts::new(keep, clock.clone());
        let skew = i64::try_from(clock_skew.as_micros()).unwrap_or(i64::MAX);
        Ok(Self { issuer, audiences, skew, claims, keys, verdicts, clock })
    }

    /// Whether the token says that it is of this issuer.
    pub(super) fn is_named_by(&self, token: &str) -> bool {
        Unverified::of(token).issuer() == Some(&self.issuer)
    }

    /// The issuer's URL.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whose the token is.
    ///
    /// # Errors
    /// `Unavailable` while there are no keys that are recent enough.
    pub(super) async fn claims(&self, token: &str) -> Result<Verdict> {
        self.verdicts.get(token, self.judge(token)).await
    }

    async fn judge(&self, token: &str) -> Result<Verdict> {
        let header = match header(token) {
            Ok(header) => header,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some(key) = self.keys.find(header.kid.as_deref(), header.alg).await? else {
            return Ok(Err(Refusal::new(
                "the token is signed with a key that its issuer does not publish for that; log in again",
            )));
        };
        Ok(self.verify(token, &header, &key).and_then(|(body, ends)| self.claims.read(&body, ends)))
    }

    /// What the token says, if it may be believed, and when that ends.
    fn verify(&self, token: &str, header: &Header, key: &Key) -> Result<(Map<String, Value>, Timestamp), Refusal> {
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&self.audiences);
        validation.set_required_spec_claims(&["iss", "aud"]);
        // The times are held against our own clock, below.
        validation.validate_exp = false;
        let body: Map<String, Value> = jsonwebtoken::decode(token, key.decoding(), &validation)
            .map_err(|error| self.refusal(error.kind()))?
            .claims;
        // A list of issuers would have passed.
        if body.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(self.refusal(&ErrorKind::InvalidIssuer));
        }
        let time = |name: &str| match body.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match moment(value) {
                Some(at) => Ok(Some(at)),
                None => Err(Refusal::new(format!("the token's `{name}` is no number of seconds"))),
            },
        };
        let now = self.clock.now();
        let Some(ends) = time("exp")? else {
            return Err(Refusal::new("the token never ends: it has no `exp`; have its issuer set one"));
        };
        if ends.0.saturating_add(self.skew) <= now.0 {
            return Err(Refusal::new(format!("the token expired at {ends}; log in again")));
        }
        if let Some(begins) = time("nbf")?.filter(|begins| begins.0.saturating_sub(self.skew) > now.0) {
            return Err(Refusal::new(format!("the token is not good before {begins}; is the issuer's clock right?")));
        }
        Ok((body, ends))
    }

    fn refusal(&self, error: &ErrorKind) -> Refusal {
        Refusal::new(match error {
            ErrorKind::InvalidSignature => "the token's signature is wrong; log in again".to_owned(),
            ErrorKind::InvalidIssuer => format!("the token is not of the issuer that is trusted here, {}", self.issuer),
            ErrorKind::InvalidAudience => self.audience(),
            ErrorKind::MissingRequiredClaim(name) if name == "aud" => self.audience(),
            _ => "the token is no JWT that can be read; log in again".to_owned(),
        })
    }

    fn audience(&self) -> String {
        format!("the token is made for somebody else; get one for the audience {}", self.audiences.join(" or "))
    }
}

/// The header of a token that can be a login.
fn header(token: &str) -> Result<Header, Refusal> {
    let header = jsonwebtoken::decode_header(token).ok().filter(|header| ALGORITHMS.contains(&header.alg));
    let Some(header) = header else {
        let known: Vec<String> = ALGORITHMS.iter().map(|algorithm| format!("{algorithm:?}")).collect();
        return Err(Refusal::new(format!("the token is no JWT that is signed with one of {}", known.join(", "))));
    };
    // Whoever does not know a critical extension must refuse (RFC 7515, section 4.1.11), and none is known here.
    if header.crit.is_some() {
        return Err(Refusal::new("the token has critical extensions (`crit`), and none is known here"));
    }
    // Issuers sign other things too, such as the notice that somebody has logged out (RFC 8725, section 3.11).
    let kind = header.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
    if !matches!(kind.trim_start_matches("application/"), "jwt" | "at+jwt") {
        return Err(Refusal::new("the token is of another type (`typ`) than JWT and at+jwt"));
    }
    Ok(header)
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oidc")
            .field("issuer", &self.issuer)
            .field("audiences", &self.audiences)
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
