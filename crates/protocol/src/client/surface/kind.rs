//! What members may hold.

use super::Member;
use crate::rest::surface::Form;

/// The JSON type of a member, with its limits.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A string of so many bytes, both included.
    Text {
        /// At least.
        min: usize,
        /// At most, if there is a limit of its own.
        max: Option<usize>,
    },
    /// A UserID: 1 to 32 bytes without control characters.
    UserId,
    /// `<MsgSeq>_<MsgRandom>_<MsgTime>`.
    MsgKey,
    /// One of some words.
    Word(&'static Words),
    /// A string of a form.
    Form(&'static Form),
    /// A whole number within these, both included.
    Integer {
        /// At least.
        min: u64,
        /// At most.
        max: u64,
    },
    /// A number that is one of these.
    Choice(&'static [u32]),
    /// In a request: `true` or `false`, 1 or 0. In an answer: `true` or `false`.
    Flag,
    /// An array of so many items, both included.
    List {
        /// What each item is.
        of: &'static Kind,
        /// At least.
        min: usize,
        /// At most, if there is a limit of its own.
        max: Option<usize>,
    },
    /// An object that has a name.
    Object(&'static Object),
    /// An object whose members are the app's business.
    AnyObject,
    /// An object whose members are values, strings or numbers, named by their tags, such as this one.
    Tags(&'static str),
    /// A `MsgBody`: an array of [elements](crate::element::ELEMENTS).
    Elements,
    /// This, or `null`.
    OrNull(&'static Kind),
}

/// An object that has a name in the SDK.
#[derive(Debug, Clone, Copy)]
pub struct Object {
    /// Its name in the SDK.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub about: &'static str,
    /// What it has.
    pub members: &'static [Member],
}

/// Words of which a member has one.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// The name of the type in the SDK.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub about: &'static str,
    /// The words.
    pub words: &'static [&'static str],
}

pub(super) const USER_ID: Kind = Kind::UserId;
pub(super) const MSG_KEY: Kind = Kind::MsgKey;
pub(super) const TEXT: Kind = Kind::Text { min: 0, max: None };
pub(super) const FLAG: Kind = Kind::Flag;
pub(super) const BIT: Kind = Kind::Choice(&[0, 1]);
pub(super) const U32: Kind = Kind::Integer { min: 0, max: u32::MAX as u64 };
pub(super) const U64: Kind = Kind::Integer { min: 0, max: u64::MAX };
/// Values of a profile.
pub(super) const PROFILE_TAGS: Kind = Kind::Tags("Tag_Profile_IM_Nick");
/// Values that the app keeps with a friend.
pub(super) const FRIEND_TAGS: Kind = Kind::Tags("Tag_SNS_Custom_Test");
pub(super) const TIME_S: Kind = U64;

pub(super) const fn text(min: usize, max: usize) -> Kind {
    Kind::Text { min, max: Some(max) }
}

/// A list in a request, which is never empty.
pub(super) const fn list(of: &'static Kind, max: usize) -> Kind {
    Kind::List { of, min: 1, max: Some(max) }
}

/// A list in an answer.
pub(super) const fn lines(of: &'static Kind) -> Kind {
    Kind::List { of, min: 0, max: None }
}

impl Kind {
    /// The object that it is, or that the items of a list are.
    pub fn object(&self) -> Option<&'static Object> {
        match self {
            Kind::Object(object) => Some(object),
            Kind::List { of, .. } | Kind::OrNull(of) => of.object(),
            _ => None,
        }
    }

    /// The words that it is one of, or that the items of a list are.
    pub fn words(&self) -> Option<&'static Words> {
        match self {
            Kind::Word(words) => Some(words),
            Kind::List { of, .. } | Kind::OrNull(of) => of.words(),
            _ => None,
        }
    }
}
