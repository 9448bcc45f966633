//! Credentials that are no good.
use access::{Caller, Claims};

/// Why, in words that say what to do and do not repeat the credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal(String);

/// What became of credentials that could be judged.
pub(super) type Verdict = Result<Claims, Refusal>;

impl Refusal {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl From<Refusal> for Caller {
    fn from(Refusal(why): Refusal) -> Self {
        Caller::Refused(why.into())
    }
}
