//! The client protocol as data: what each operation takes and answers, what is pushed, and the objects in both.
//!
//! The SDK's types and the schema of the frames are written from here, and tests hold it to the parsers beside it, to
//! the page about the protocol, and to what the server says. Nothing here is looked at while a frame is served.
//!
//! Start at [`OPERATIONS`] and [`PUSHES`].

mod kind;
mod member;
mod object;
mod session;
mod message;
mod conversation;
mod people;
mod friend;
mod presence;
mod token;
mod media;
mod push;

#[cfg(test)]
mod tests;

pub use kind::{Kind, Object, Words};
pub use media::UPLOADED;
pub use member::{Member, Presence};
pub use push::{CHANGE, PUSHES, Push};

use crate::code::ErrorCode;
use std::ops::RangeInclusive;

/// Something that a device can ask.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// `op`.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// The members of the request, besides `id` and `op`.
    pub request: &'static [Member],
    /// Which of them go together.
    pub choice: Choice,
    /// The members of `ok`.
    pub answer: &'static [Member],
    /// What it can be refused with, besides the codes of its members and [those of any](ANY_REQUEST).
    pub codes: &'static [ErrorCode],
    /// Which codes the app's own backend can choose from.
    pub own_codes: Option<&'static RangeInclusive<u32>>,
}

/// Which members of a request go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Any of those that may be left out.
    Free,
    /// At least one of these has to be there, else the request is refused with this.
    AnyOf(&'static [&'static str], ErrorCode),
    /// No more than one of these may be there, else the request is refused with this.
    AtMostOneOf(&'static [&'static str], ErrorCode),
    /// Exactly one of these has to be there, else the request is refused with this.
    OneOf(&'static [&'static str], ErrorCode),
    /// Where this one is there, the others are not looked at.
    InPlaceOfOthers(&'static str),
}

/// What nearly all operations have.
const PLAIN: Operation = Operation {
    name: "",
    about: "",
    request: &[],
    choice: Choice::Free,
    answer: &[],
    codes: &[],
    own_codes: None,
};

/// What any request can be refused with.
pub const ANY_REQUEST: &[ErrorCode] = &[
    ErrorCode::NotConnected,
    ErrorCode::FrameNotUnderstood,
    ErrorCode::TooManyOutstanding,
    ErrorCode::UnknownOperation,
    ErrorCode::Internal,
];

/// Every operation, in the order of the areas.
pub const OPERATIONS: &[&[Operation]] = &[
    session::OPERATIONS,
    message::OPERATIONS,
    conversation::OPERATIONS,
    people::OPERATIONS,
    friend::OPERATIONS,
    presence::OPERATIONS,
    token::OPERATIONS,
    media::OPERATIONS,
];

/// Every operation, one by one.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().flat_map(|area| area.iter())
}

/// The object of a refusal: `error`.
pub const REFUSAL: &Object = &object::REFUSAL;
