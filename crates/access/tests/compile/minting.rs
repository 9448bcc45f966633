//! An identity comes from whoever checked credentials. Private functions are told before private fields are, so
//! this is a case of its own.
use access::{Authenticators, Claims, Identity, Proof};
use std::sync::Arc;

fn identity() -> Arc<Identity> {
    Identity::make(Claims::new("jane", Proof::Oidc))
}

fn authenticators() -> Authenticators {
    Authenticators::new()
}

fn main() {}
