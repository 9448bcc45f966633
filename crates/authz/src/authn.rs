//! Who is calling, by the headers of the request and its peer.
//!
//! A bearer token can say so, or the header of a proxy that is trusted to have asked. Neither is believed beyond what
//! it proves, and credentials that are no good are a refusal, never the same as none.
mod api_token;
mod bearer;
mod header;
mod jwt;
mod oidc;
mod recent_tokens;
mod refusal;
mod token_review;
mod trust;
mod verdicts;
mod xfcc;

pub use api_token::{KnownToken, Tokens};
pub use header::HeaderSettings;
pub use oidc::{Oidc, OidcClaims, OidcError, OidcSettings};
pub use token_review::{TokenReview, TokenReviewSettings};
pub use trust::Trust;

use crate::Peer;
use access::{Authenticators, Caller, Claims};
use api_token::ApiTokens;
use domain::{Clock, Result};
use http::HeaderMap;
use refusal::{Refusal, Verdict};
use std::{fmt, sync::Arc, time::Duration};

/// Finds out who is calling.
pub struct Authn {
    authenticators: Authenticators,
    api_tokens: ApiTokens,
    oidc: Option<Oidc>,
    token_review: Option<TokenReview>,
    header: HeaderSettings,
}

impl Authn {
    /// Knows API tokens and headers.
    pub fn new(
        authenticators: Authenticators,
        tokens: Arc<dyn Tokens>,
        header: HeaderSettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let header = HeaderSettings { trust: header.trust.settled(), ..header };
        let api_tokens = ApiTokens::new(tokens, clock);
        Self { authenticators, api_tokens, oidc: None, token_review: None, header }
    }

    /// The same, which looks an API token up once in so long. Whether it has ended by itself is asked each time, and one
    /// that is revoked here is refused at once; of one that is revoked elsewhere this is how long it lets in.
    #[must_use]
    pub fn with_token_cache(self, keep: Duration) -> Self {
        Self { api_tokens: self.api_tokens.keeping(keep), ..self }
    }

    /// The same, which knows JWTs of this issuer too.
    #[must_use]
    pub fn with_oidc(self, oidc: Oidc) -> Self {
        Self { oidc: Some(oidc), ..self }
    }

    /// The same, which knows tokens of Kubernetes too.
    #[must_use]
    pub fn with_token_review(self, token_review: TokenReview) -> Self {
        Self { token_review: Some(token_review), ..self }
    }

    /// The caller of a request that came from `peer`.
    ///
    /// # Errors
    /// Only what stands in the way of finding out, such as a database that is away.
    pub async fn caller(&self, headers: &HeaderMap, peer: &Peer) -> Result<Caller> {
        let (token, named) = match (bearer::secret(headers), self.header.claims(headers, peer)) {
            (Ok(token), Ok(named)) => (token, named),
            (Err(refusal), _) | (_, Err(refusal)) => return Ok(refusal.into()),
        };
        let claims = match (token, named) {
            (None, None) => return Ok(Caller::Nobody),
            (None, Some(named)) => named,
            (Some(token), named) => match self.by_token(token).await?.and_then(|claims| agree(claims, named)) {
                Ok(claims) => claims,
                Err(refusal) => return Ok(refusal.into()),
            },
        };
        Ok(match self.authenticators.identity(claims) {
            Ok(identity) => Caller::Known(identity),
            Err(error) => Caller::Refused(error.message().into()),
        })
    }

    /// What the token itself says settles who judges it, so that each is shown to one alone.
    async fn by_token(&self, token: &str) -> Result<Verdict> {
        if token.starts_with(api_token::PREFIX) {
            return self.api_tokens.claims(token).await;
        }
        match (&self.oidc, &self.token_review) {
            (Some(oidc), _) if oidc.is_named_by(token) => oidc.claims(token).await,
            (_, Some(token_review)) => token_review.claims(token).await,
            (Some(oidc), None) => Ok(Err(Refusal::new(format!(
                "the token is neither one of Bulkhead's own nor a JWT of the issuer that is trusted here, {}",
                oidc.issuer()
            )))),
            // It is not known there either, and that says so.
            (None, None) => self.api_tokens.claims(token).await,
        }
    }
}

/// What the token proves, with the groups of both. How far it reaches, and how long, stays the token's.
fn agree(mut token: Claims, by_header: Option<Claims>) -> Verdict {
    let Some(by_header) = by_header else { return Ok(token) };
    if by_header.user != token.user {
        return Err(Refusal::new("its token and its user header name different users; send one of them"));
    }
    for group in by_header.groups {
        if token.groups.contains(&group) {
            continue;
        }
        // Together they pass as the token does, and after a TokenReview such groups would.
        if group.starts_with(SYSTEM_PREFIX) {
            return Err(Refusal::new(format!(
                "group {group:?} of its groups header begins with `{SYSTEM_PREFIX}`, which only Kubernetes may vouch \
                 for; the proxy must drop it"
            )));
        }
        token.groups.push(group);
    }
    Ok(token)
}

/// What names of Kubernetes' own begin with.
const SYSTEM_PREFIX: &str = "system:";

impl fmt::Debug for Authn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authn").field("header", &self.header).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
