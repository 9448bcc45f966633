//! The engine, told event by event, and by chance.
#![expect(clippy::unwrap_used, reason = "tests may panic")]
mod properties;
mod random;
mod reference;
mod resolving;
mod steps;
mod support;
