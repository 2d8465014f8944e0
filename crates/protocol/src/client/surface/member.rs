//! Members of requests, answers and pushes.

use super::Kind;
pub use crate::rest::surface::Presence;

use crate::code::ErrorCode;

/// A member of a request, an answer or a push, or of an object in one of them.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// Whether it has to be there.
    pub presence: Presence,
    /// What it is for, in a sentence or two.
    pub meaning: &'static str,
    /// What a request is refused with when it is not as described.
    pub codes: &'static [ErrorCode],
}

/// What most members are refused with.
pub(super) const WRONG: &[ErrorCode] = &[ErrorCode::FrameNotUnderstood];

/// A member of a request that has to be there.
pub(super) const fn required(
    name: &'static str,
    kind: Kind,
    codes: &'static [ErrorCode],
    meaning: &'static str,
) -> Member {
    Member { name, kind, presence: Presence::Always, meaning, codes }
}

/// A member of a request that may be left out, which means `left_out`.
pub(super) const fn optional(
    name: &'static str,
    kind: Kind,
    codes: &'static [ErrorCode],
    left_out: &'static str,
    meaning: &'static str,
) -> Member {
    Member { name, kind, presence: Presence::Sometimes(left_out), meaning, codes }
}

/// A member of an answer or a push that is always there.
pub(super) const fn told(name: &'static str, kind: Kind, meaning: &'static str) -> Member {
    required(name, kind, &[], meaning)
}

/// A member of an answer or a push that is there `in_case`.
pub(super) const fn told_if(
    name: &'static str,
    kind: Kind,
    in_case: &'static str,
    meaning: &'static str,
) -> Member {
    optional(name, kind, &[], in_case, meaning)
}
