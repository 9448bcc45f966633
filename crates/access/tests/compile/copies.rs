//! The capabilities exist once.
use access::{Authenticators, Founded, PolicyWriter, System};

fn copied<T: Clone>(_: &T) {}

fn copies(founded: &Founded, authenticators: &Authenticators, policy: &PolicyWriter, system: &System) {
    copied(founded);
    copied(authenticators);
    copied(policy);
    copied(system);
}

fn main() {}
