//! Who calls, where, and whether they may: the only crate that can make a [`Scope`] or a [`Grant`].
//!
//! [`found`] makes a [`Gate`] and, once and not to be cloned, the capabilities that go with it: [`Authenticators`]
//! mint identities, [`System`] lets janitors act without a caller, [`PolicyWriter`] replaces the rights. The gate
//! learns where objects live through [`Locate`] and reports through [`Audit`]; it does no IO of its own.
mod decide;
mod gate;
mod owner;
mod place;
mod ports;
mod rbac;
mod scope;
mod system;
mod token_scope;
mod wherever;
mod who;

pub use decide::{Question, Review, Why};
pub use gate::{Founded, Gate, Ports, Settings, found, found_single_user};
pub use owner::Owner;
#[cfg(feature = "testing")]
pub use ports::Idle;
pub use ports::{Audit, Credentials, Decided, Id, Locate, Located, Refers, Throttle, Unlimited, Work};
pub use rbac::{Binding, Key, PolicyRule, Rbac, RoleBinding, Subject, Tenant};
pub use scope::{Grant, Reach, Scope};
pub use system::{PolicyWriter, System};
pub use token_scope::TokenScope;
pub use who::{Authenticators, Caller, Claims, Extra, Identity, Proof};
