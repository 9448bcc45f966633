//! One question to the API server.
//!
//! The answer repeats the token, so it is read here: the client would log an answer that it does not understand.
use domain::{Error, Result};
use http::{Request, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, TokenReviewStatus};
use kube::client::Body;
use std::time::Duration;
use tokio::{sync::Semaphore, time::timeout};

const PATH: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
/// How long an answer may take, with the wait for a turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many questions are open at one time, however many tokens come.
const AT_A_TIME: usize = 32;
/// The longest answer, in bytes: a user may be in many groups.
const LONGEST: usize = 1 << 20;

/// Asks the API server whose tokens are.
pub(super) struct Reviewer {
    client: kube::Client,
    turns: Semaphore,
}

/// Why there is no answer, in words that cannot repeat the token.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the question could not be written")]
    Question(#[source] serde_json::Error),
    #[error("the question could not be sent")]
    Request(#[source] http::Error),
    #[error("no answer after {PATIENCE:?}")]
    Late,
    #[error("no connection to the API server")]
    Connection(#[source] kube::Error),
    #[error("the answer broke off")]
    Broken,
    #[error("the answer has more than {LONGEST} bytes")]
    Long,
    #[error(
        "the API server answered {0} to a TokenReview; this server's account needs `create` on `tokenreviews` \
         (ClusterRole `system:auth-delegator`)"
    )]
    Forbidden(StatusCode),
    #[error("the API server answered {0} to a TokenReview")]
    Status(StatusCode),
    #[error("the answer is no TokenReview with a status")]
    Answer,
}

impl Reviewer {
    pub(super) fn new(client: kube::Client) -> Self {
        Self { client, turns: Semaphore::new(AT_A_TIME) }
    }

    /// # Errors
    /// `Unavailable` for what may be better in a moment, else `Internal`.
    pub(super) async fn review(&self, token: &str, audiences: &[String]) -> Result<TokenReviewStatus> {
        let asked = timeout(PATIENCE, async {
            let _turn = self.turns.acquire().await;
            self.ask(token, audiences).await
        });
        asked.await.unwrap_or(Err(Failure::Late)).map_err(Error::from)
    }

    async fn ask(&self, token: &str, audiences: &[String]) -> Result<TokenReviewStatus, Failure> {
        let spec = TokenReviewSpec { token: token.to_owned(), audiences: Some(audiences.to_vec()) };
        let review = TokenReview { spec, ..TokenReview::default() };
        let question = serde_json::to_vec(&review).map_err(Failure::Question)?;
        let request = Request::post(PATH).header(CONTENT_TYPE, "application/json").body(Body::from(question));
        let response = self.client.send(request.map_err(Failure::Request)?).await.map_err(Failure::Connection)?;
        match response.status() {
            status if status.is_success() => {}
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => return Err(Failure::Forbidden(status)),
            status => return Err(Failure::Status(status)),
        }
        let answer = Limited::new(response.into_body(), LONGEST).collect().await;
        let answer = answer.map_err(|error| match error.is::<LengthLimitError>() {
            true => Failure::Long,
            false => Failure::Broken,
        })?;
        let answer: Option<TokenReview> = serde_json::from_slice(&answer.to_bytes()).ok();
        answer.and_then(|review| review.status).ok_or(Failure::Answer)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let passing = match &failure {
            Failure::Late | Failure::Connection(_) | Failure::Broken => true,
            Failure::Status(status) => {
                status.is_server_error()
                    || matches!(*status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
            }
            Failure::Question(_) | Failure::Request(_) | Failure::Long | Failure::Forbidden(_) | Failure::Answer => {
                false
            }
        };
        if passing {
            Error::unavailable("Kubernetes cannot be asked about the token now; try again", failure)
        } else {
            Error::internal(failure)
        }
    }
}
