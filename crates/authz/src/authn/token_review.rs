//! Tokens of Kubernetes, such as those of service accounts, which its API server reviews (`TokenReview`).
//!
//! The API server says whose the token is and for which audiences it was made. A pod's ordinary token, which is made
//! for the API server itself, is none for us: whoever gets hold of one that was sent to us must not be able to use it
//! there, and the other way round.
mod ask;

use super::{
    Refusal, Verdict,
    jwt::Unverified,
    verdicts::{Keep, Verdicts},
};
use access::{Claims, Proof};
use domain::{Clock, Result};
use k8s_openapi::api::authentication::v1::TokenReviewStatus;
use std::{fmt, sync::Arc, time::Duration};

/// A refusal counts no longer than this, so that a token that is good a moment later is let in.
const REFUSED: Duration = Duration::from_secs(2);

/// What is asked of tokens that Kubernetes reviews.
#[derive(Clone, Debug)]
pub struct TokenReviewSettings {
    /// A token must have been made for all of these. Without any, none is let in.
    pub audiences: Vec<String>,
    /// How long a token that was let in is, without asking again; never beyond its end.
    pub cache: Duration,
}

/// Has tokens reviewed by a Kubernetes API server.
pub struct TokenReview {
    reviewer: ask::Reviewer,
    audiences: Vec<String>,
    verdicts: Verdicts,
}

impl TokenReview {
    pub fn new(client: kube::Client, settings: TokenReviewSettings, clock: Arc<dyn Clock>) -> Self {
        let TokenReviewSettings { audiences, cache } = settings;
        let keep = Keep { accepted: cache, refused: REFUSED.min(cache) };
        Self { reviewer: ask::Reviewer::new(client), audiences, verdicts: Verdicts::new(keep, clock) }
    }

    /// Whose the token is.
    ///
    /// # Errors
    /// `Unavailable` if the API server does not answer, or not now, and `Internal` if it does not let us ask.
    pub(super) async fn claims(&self, token: &str) -> Result<Verdict> {
        let judge = async { Ok(self.judge(token, self.reviewer.review(token, &self.audiences).await?)) };
        self.verdicts.get(token, judge).await
    }

    fn judge(&self, token: &str, status: TokenReviewStatus) -> Verdict {
        if status.authenticated != Some(true) {
            return Err(Refusal::new(
                "Kubernetes does not accept the token: it may have expired, or be of a pod that is gone, or be made \
                 for another audience; read it again from where it is mounted",
            ));
        }
        // An API server that knows nothing of audiences answers none (Kubernetes API, `TokenReviewStatus`).
        let made_for = status.audiences.unwrap_or_default();
        if self.audiences.is_empty() || !self.audiences.iter().all(|wanted| made_for.contains(wanted)) {
            return Err(Refusal::new(format!(
                "the token is not made for the audience that is wanted here; ask for one with the audience {}",
                self.audiences.join(", ")
            )));
        }
        let user = status.user.unwrap_or_default();
        Ok(Claims {
            groups: user.groups.unwrap_or_default(),
            extra: user.extra.unwrap_or_default(),
            // Kubernetes has verified the token, and so what it says of its own end.
            until: Unverified::of(token).expires(),
            ..Claims::new(user.username.unwrap_or_default(), Proof::TokenReview)
        })
    }
}

impl fmt::Debug for TokenReview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenReview").field("audiences", &self.audiences).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
