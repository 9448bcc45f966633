//! What is wrong with a pipeline, and where.
use crate::yaml::clip;
use domain::Error;
use std::fmt::Display;

/// A mistake of the pipeline's author. Its place grows from the inside out, with dots, as a reader would look it up.
pub(super) struct Fault {
    place: String,
    message: String,
}

pub(super) type Check<T = ()> = Result<T, Fault>;

impl Fault {
    /// A mistake in so many words. What they quote is clipped by the caller.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { place: String::new(), message: message.into() }
    }

    /// The same mistake, seen from one level further out.
    pub(super) fn at(self, part: impl Display) -> Self {
        let part = clip(&part.to_string());
        let place = if self.place.is_empty() { part } else { format!("{part}.{}", self.place) };
        Self { place, ..self }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let error = Error::invalid(fault.message);
        if fault.place.is_empty() { error } else { error.at(fault.place) }
    }
}
