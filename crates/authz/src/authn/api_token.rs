//! API tokens: Bulkhead's own.
use super::{Refusal, Verdict, recent_tokens::RecentTokens};
use access::{Claims, Proof, TokenScope};
use domain::{Clock, Result, Timestamp};
use futures::future::BoxFuture;
use std::{sync::Arc, time::Duration};

/// What every API token begins with.
pub(super) const PREFIX: &str = "bhk_";

/// Finds API tokens. The store implements it.
pub trait Tokens: Send + Sync + 'static {
    /// A number that becomes another one with each token that is revoked here, once that is done.
    fn revocations(&self) -> u64 {
        0
    }

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
    tokens: RecentTokens,
    clock: Arc<dyn Clock>,
}

impl ApiTokens {
    /// Each is looked up anew.
    pub(super) fn new(tokens: Arc<dyn Tokens>, clock: Arc<dyn Clock>) -> Self {
        Self { tokens: RecentTokens::new(tokens, Duration::ZERO, clock.clone()), clock }
    }

    /// What was found counts for so long.
    pub(super) fn keeping(self, keep: Duration) -> Self {
        Self { tokens: self.tokens.keeping(keep), ..self }
    }

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
            groups: token.groups.clone(),
            scope: token.scope.clone(),
            until: token.expires_at,
            ..Claims::new(token.user.clone(), Proof::ApiToken(token.id.as_str().into()))
        }))
    }
}
