//! An identity comes from whoever checked credentials. Private functions are told before private fields are, so
//! this is a case of its own.
use access::{Authenticators, Identity};
use std::sync::Arc;

fn identity() -> Arc<Identity> {
    Identity::make("jane", ["ml"])
}

fn authenticators() -> Authenticators {
    Authenticators::new()
}

fn main() {}
