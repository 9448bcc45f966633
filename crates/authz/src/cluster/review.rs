//! Decisions by Kubernetes itself (`SubjectAccessReview`), for clusters whose authorizers go beyond RBAC.
use super::failure::Failure;
use access::{Extra, Question, Review};
use api::access::{Resource, Verb};
use domain::{Error, Namespace, Result};
use futures::future::BoxFuture;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::{Api, Client, api::PostParams};
use moka::future::Cache;
use std::{fmt, sync::Arc, time::Duration};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

/// How long an answer may take, with the wait for a turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many questions are open at one time, however many requests come.
const AT_A_TIME: usize = 32;
/// How much memory the answers that are kept may take, in bytes. Those that are asked for least go first.
const MEMORY: u64 = 16 << 20;

/// Has Kubernetes decide. Answers are kept for a while, refusals too; whoever asks what is being asked already waits
/// for that answer.
pub struct Reviews {
    api: Api<SubjectAccessReview>,
    turns: Semaphore,
    answers: Cache<Asked, Answer>,
    keep: Duration,
}

/// A question that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Asked {
    user: Box<str>,
    groups: Box<[Box<str>]>,
    extra: Extra,
    verb: Verb,
    resource: Resource,
    namespace: Option<Namespace>,
    name: Box<str>,
}

#[derive(Clone, Copy)]
struct Answer {
    allowed: bool,
    /// What it says may be as old as the question.
    asked: Instant,
}

impl Reviews {
    /// Decisions whose answers count for `keep`.
    pub fn new(client: Client, keep: Duration) -> Self {
        let answers = Cache::builder().weigher(|asked: &Asked, _| asked.size()).max_capacity(MEMORY).time_to_live(keep);
        Self { api: Api::all(client), turns: Semaphore::new(AT_A_TIME), answers: answers.build(), keep }
    }

    async fn answer(&self, asked: Asked) -> Result<bool> {
        match self.answers.get(&asked).await {
            Some(answer) if answer.asked.elapsed() < self.keep => return Ok(answer.allowed),
            Some(_) => self.answers.invalidate(&asked).await,
            None => {}
        }
        let review = self.ask(asked.review());
        match self.answers.try_get_with(asked, review).await {
            Ok(answer) => Ok(answer.allowed),
            Err(failure) => Err(unavailable(failure)),
        }
    }

    async fn ask(&self, review: SubjectAccessReview) -> Result<Answer, Failure> {
        let asked = Instant::now();
        let answer = timeout(PATIENCE, async {
            let _turn = self.turns.acquire().await;
            self.api.create(&PostParams::default(), &review).await
        });
        let review = answer.await.map_err(|_| Failure::Late(PATIENCE))??;
        let status = review.status.ok_or_else(|| Failure::Strange("a review has no status".into()))?;
        if let Some(error) = &status.evaluation_error {
            tracing::debug!(error, "an authorizer of Kubernetes could not say all it had to");
        }
        Ok(Answer { allowed: status.allowed && status.denied != Some(true), asked })
    }
}

impl Review for Reviews {
    fn allows<'a>(&'a self, question: Question<'a>) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.answer(Asked::new(question)))
    }
}

impl Asked {
    fn new(question: Question<'_>) -> Self {
        let Question { user, groups, extra, verb, resource, namespace, name } = question;
        Self {
            user: user.into(),
            groups: groups.into(),
            extra: extra.clone(),
            verb,
            resource,
            namespace: namespace.cloned(),
            name: name.into(),
        }
    }

    fn review(&self) -> SubjectAccessReview {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        // As upstream asks, for authorizers that go by it.
        let version = if self.resource.group().is_empty() { "v1" } else { "v1beta1" };
        let attributes = ResourceAttributes {
            group: text(self.resource.group()),
            version: text(version),
            resource: text(self.resource.as_str()),
            verb: text(self.verb.as_str()),
            namespace: self.namespace.as_ref().and_then(|namespace| text(namespace.as_str())),
            name: text(&self.name),
            ..ResourceAttributes::default()
        };
        let spec = SubjectAccessReviewSpec {
            user: text(&self.user),
            groups: Some(self.groups.iter().map(|group| String::from(&**group)).collect()),
            extra: Some(self.extra.clone()).filter(|extra| !extra.is_empty()),
            resource_attributes: Some(attributes),
            ..SubjectAccessReviewSpec::default()
        };
        SubjectAccessReview { spec, ..SubjectAccessReview::default() }
    }

    /// Some bytes more than its texts have.
    fn size(&self) -> u32 {
        let groups = self.groups.iter().map(|group| group.len() + size_of::<Box<str>>());
        let extra = self
            .extra
            .iter()
            .flat_map(|(key, values)| std::iter::once(key).chain(values).map(|text| text.len() + size_of::<String>()));
        let texts = self.user.len() + self.name.len() + groups.chain(extra).sum::<usize>();
        u32::try_from(texts + 2 * size_of::<Self>()).unwrap_or(u32::MAX)
    }
}

/// What a caller hears, who must not learn what the API server says, or where it is.
fn unavailable(failure: Arc<Failure>) -> Error {
    Error::unavailable("Kubernetes cannot be asked at the moment who may do this; try again", failure)
}

impl fmt::Debug for Reviews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reviews").field("keep", &self.keep).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
