//! The capabilities come with a gate, and only so.
use access::{Authenticators, PolicyWriter};

fn authenticators() -> Authenticators {
    Authenticators(())
}

fn policy(other: PolicyWriter) -> PolicyWriter {
    PolicyWriter(other.0)
}

fn main() {}
