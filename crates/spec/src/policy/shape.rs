//! What the tables of allowed fields are made of.
use super::{Allowance, touches::Touched};

/// A key, and what may stand there. Without a key, all fields of another table.
pub(super) type Field = (&'static str, &'static Shape);

/// What a value may be. A null is an absent value, and is always taken where the key is known.
pub(super) enum Shape {
    /// A map with these keys and no others.
    Object(&'static [Field]),
    /// The same for a message of protobuf, whose keys may also be written `in_this_way`.
    Message(&'static [Field]),
    List(&'static Shape),
    /// A map whose keys are names as labels have them.
    Map(&'static Shape),
    /// A map whose keys are names of our own packages, such as labels of executors.
    ByLabel(&'static Shape),
    /// Data of the tenant's that nobody reads as fields.
    Free,
    /// Nothing but empty maps.
    Nothing,
    /// Not even that.
    Never,
    Text,
    /// Text, a number or a boolean.
    Scalar,
    /// A number, or text that stands for one.
    Count,
    Number,
    Boolean,
    /// Text that is a duration; no parameter may stand in it.
    Duration,
    /// Text that is one of these; no parameter may stand in it.
    Word(&'static [&'static str]),
    False,
    True,
    /// The number of a user who is not root.
    User,
    /// `User` as protobuf writes it, where numbers of 64 bits are text.
    WireUser,
    Labels,
    Annotations,
    /// The name of an object that is touched by it.
    Name(Touched),
    /// This, and which object is touched is known only when the run goes on.
    Later(&'static Shape),
    /// The account that the run has anyway.
    Account,
    /// The same, or the word that stands for it in what kfp 1 compiled.
    RunAccount,
    /// The text of a manifest of one volume claim.
    ClaimText,
    /// This is harmless; the other takes an allowance.
    Unless {
        harmless: &'static Shape,
        allowance: Allowance,
        full: &'static Shape,
    },
}

/// Something that takes an allowance altogether.
pub(super) const fn only_with(allowance: Allowance, full: &'static Shape) -> Shape {
    Shape::Unless { harmless: &Shape::Never, allowance, full }
}

/// Something of which a part is harmless.
pub(super) const fn unless(harmless: &'static Shape, allowance: Allowance, full: &'static Shape) -> Shape {
    Shape::Unless { harmless, allowance, full }
}

/// Defines tables: `NAME { key: SHAPE, .. }`, or `NAME { ..OTHER, key: SHAPE, .. }` for a table that has all of another.
macro_rules! shapes {
    ($kind:ident; $(
        $(#[$doc:meta])*
        $name:ident { $(..$base:ident,)? $($key:ident: $shape:expr,)* }
    )*) => {$(
        $(#[$doc])*
        pub(super) static $name: Shape = Shape::$kind(&[$(("", &$base),)? $((stringify!($key), &$shape),)*]);
    )*};
}
pub(super) use shapes;
