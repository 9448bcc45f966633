//! API tokens: Bulkhead's own.
use super::{Refusal, Verdict};
use access::{Claims, Proof, TokenScope};
use domain::{Clock, Result, Timestamp};
use futures::future::BoxFuture;
use std::sync::Arc;

/// What every API token begins with.
pub(super) const PREFIX: &str = "bhk_";

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

/// Judges API tokens by what is recorded of them.
pub(super) struct ApiTokens {
    pub(super) tokens: Arc<dyn Tokens>,
    pub(super) clock: Arc<dyn Clock>,
}

impl ApiTokens {
    /// # Errors
    /// What stands in the way of looking the token up.
    pub(super) async fn claims(&self, secret: &str) -> Result<Verdict> {
        let Some(token) = self.tokens.find(secret).await? else {
            return Ok(Err(Refusal::new("the token is not known here")));
        };
        if token.revoked {
            return Ok(Err(Refusal::new("the token was revoked")));
        }
        if let Some(at) = token.expires_at.filter(|at| *at <= self.clock.now()) {
            return Ok(Err(Refusal::new(format!("the token expired at {at}"))));
        }
        Ok(Ok(Claims {
            groups: token.groups,
            scope: token.scope,
            until: token.expires_at,
            ..Claims::new(token.user, Proof::ApiToken(token.id.into()))
        }))
    }
}
