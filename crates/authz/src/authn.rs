//! Who is calling, by the headers of the request.
//!
//! Two things can say so: an API token, and the header of a proxy that is trusted to have asked. Neither is believed
//! beyond what it proves, and credentials that are no good are a refusal, never the same as none.
mod bearer;
mod header;

pub use header::HeaderSettings;

use crate::{
    Peer,
    this_host::{canonical, is_this_host},
};
use access::{Authenticators, Caller, Claims, Proof, TokenScope};
use domain::{Clock, Result, Timestamp};
use futures::future::BoxFuture;
use http::HeaderMap;
use std::{fmt, sync::Arc};

/// Finds API tokens. The store implements it.
pub trait Tokens: Send + Sync + 'static {
    /// The token of this secret, or `None` if there is none.
    fn find<'a>(&'a self, secret: &'a str) -> BoxFuture<'a, Result<Option<KnownToken>>>;
}

/// What is recorded of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownToken {
    pub id: String,
    pub user: String,
    pub groups: Vec<String>,
    pub scope: TokenScope,
    /// `None` for never.
    pub expires_at: Option<Timestamp>,
    pub revoked: bool,
}

/// Finds out who is calling.
pub struct Authn {
    authenticators: Authenticators,
    tokens: Arc<dyn Tokens>,
    header: HeaderSettings,
    clock: Arc<dyn Clock>,
}

/// Why credentials are no good, in words that do not repeat them.
struct Refusal(String);

impl Authn {
    pub fn new(
        authenticators: Authenticators,
        tokens: Arc<dyn Tokens>,
        mut header: HeaderSettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        header.trusted = header.trusted.into_iter().map(canonical).collect();
        Self { authenticators, tokens, header, clock }
    }

    /// The caller of a request that came from `peer`.
    ///
    /// # Errors
    /// Only what stands in the way of finding out, such as a database that is away.
    pub async fn caller(&self, headers: &HeaderMap, peer: &Peer) -> Result<Caller> {
        let proof = match (bearer::secret(headers), self.by_header(headers, peer)) {
            (Ok(secret), Ok(named)) => (secret, named),
            (Err(refusal), _) | (_, Err(refusal)) => return Ok(refusal.into()),
        };
        let named = match proof {
            (None, None) => return Ok(Caller::Nobody),
            (None, Some(named)) => named,
            (Some(secret), by_header) => match self.by_token(secret).await?.and_then(|token| agree(token, by_header)) {
                Ok(named) => named,
                Err(refusal) => return Ok(refusal.into()),
            },
        };
        Ok(match self.authenticators.identity(named) {
            Ok(identity) => Caller::Known(identity),
            Err(error) => Caller::Refused(error.message().into()),
        })
    }

    async fn by_token(&self, secret: &str) -> Result<Result<Claims, Refusal>> {
        let refuse = |why: String| Ok(Err(Refusal(why)));
        let Some(token) = self.tokens.find(secret).await? else {
            return refuse("the token is not known here".into());
        };
        if token.revoked {
            return refuse("the token was revoked".into());
        }
        if let Some(at) = token.expires_at.filter(|at| *at <= self.clock.now()) {
            return refuse(format!("the token expired at {at}"));
        }
        Ok(Ok(Claims {
            groups: token.groups,
            scope: token.scope,
            until: token.expires_at,
            ..Claims::new(token.user, Proof::ApiToken(token.id.into()))
        }))
    }

    fn by_header(&self, headers: &HeaderMap, peer: &Peer) -> Result<Option<Claims>, Refusal> {
        if !headers.contains_key(&self.header.user_header) {
            return Ok(None);
        }
        if !self.trusts(peer) {
            let header = self.header.user_header.as_str();
            tracing::debug!(?peer, "ignored the {header} header of a peer that is not trusted");
            return Ok(None);
        }
        self.header.named(headers).map(Some)
    }

    fn trusts(&self, peer: &Peer) -> bool {
        let Some(peer) = peer.address.map(|ip| ip.to_canonical()) else { return false };
        self.header.trusted.iter().any(|net| net.contains(&peer))
            && !(self.header.distrust_this_host && is_this_host(peer))
    }
}

/// The token's user, with the groups of both.
fn agree(mut token: Claims, by_header: Option<Claims>) -> Result<Claims, Refusal> {
    let Some(by_header) = by_header else { return Ok(token) };
    if by_header.user != token.user {
        return Err(Refusal("its token and its user header name different users; send one of them".into()));
    }
    for group in by_header.groups {
        if !token.groups.contains(&group) {
            token.groups.push(group);
        }
    }
    Ok(token)
}

impl From<Refusal> for Caller {
    fn from(Refusal(why): Refusal) -> Self {
        Caller::Refused(why.into())
    }
}

impl fmt::Debug for Authn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authn").field("header", &self.header).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
