//! What members may hold.

use super::Member;
use crate::limits::USER_ID_LEN_MAX;

/// The JSON type of a member, with its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A String of so many bytes, both included.
    Text {
        /// At least.
        min: usize,
        /// At most, if there is a limit of its own.
        max: Option<usize>,
    },
    /// A UserID: a String of 1 to 32 bytes without control characters.
    UserId,
    /// A String of the form `<MsgSeq>_<MsgRandom>_<MsgTime>`.
    MsgKey,
    /// A String that is one of these words.
    Word(&'static [&'static str]),
    /// A String of a form.
    Form(Form),
    /// An Integer within these, both included.
    Integer {
        /// At least.
        min: u64,
        /// At most.
        max: u64,
    },
    /// An Integer that is one of these.
    Choice(&'static [u32]),
    /// The Integer 0 or 1.
    Flag,
    /// An Array of so many items, both included.
    List {
        /// What each item is.
        of: &'static Kind,
        /// At least.
        min: usize,
        /// At most, if there is a limit of its own.
        max: Option<usize>,
    },
    /// An Object with these members.
    Object(&'static [Member]),
    /// An Object whose members are the app's business.
    AnyObject,
    /// Any of these.
    OneOf(&'static [Kind]),
    /// A `MsgBody` in a request: an Array of [elements](crate::element::ELEMENTS).
    Elements,
    /// A `MsgBody` in an answer, as it came in.
    StoredElements,
    /// A code in a line of an answer: 0, or one of the codes that the lines of the command can have.
    LineCode,
    /// The same where a line is only there when something failed, so that 0 does not occur.
    FailedLineCode,
}

/// A form that Strings can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// The form in words.
    pub words: &'static str,
    /// The same as a regular expression.
    pub pattern: &'static str,
    /// A String that has the form.
    pub sample: &'static str,
}

pub(super) const USER_ID: Kind = Kind::UserId;
pub(super) const MSG_KEY: Kind = Kind::MsgKey;
pub(super) const TEXT: Kind = Kind::Text { min: 0, max: None };
pub(super) const FLAG: Kind = Kind::Flag;
pub(super) const U32: Kind = Kind::Integer { min: 0, max: u32::MAX as u64 };
pub(super) const U64: Kind = Kind::Integer { min: 0, max: u64::MAX };
pub(super) const TIME_S: Kind = U64;

pub(super) const fn text(min: usize, max: usize) -> Kind {
    Kind::Text { min, max: Some(max) }
}

pub(super) const fn list(of: &'static Kind, min: usize, max: usize) -> Kind {
    Kind::List { of, min, max: Some(max) }
}

/// A list in an answer.
pub(super) const fn lines(of: &'static Kind) -> Kind {
    Kind::List { of, min: 0, max: None }
}

/// A list of names in an answer.
pub(super) const NAMES: Kind = lines(&TEXT);

impl Kind {
    /// The JSON type and the limits, in words.
    pub fn words(&self) -> String {
        match self {
            Kind::Text { min: 0, max: None } => "String".to_owned(),
            Kind::Text { min: 0, max: Some(max) } => format!("String, at most {max} bytes"),
            Kind::Text { min, max: Some(max) } => format!("String, {min} to {max} bytes"),
            Kind::Text { min, max: None } => format!("String, at least {min} bytes"),
            Kind::UserId => format!("UserID: String, 1 to {USER_ID_LEN_MAX} bytes"),
            Kind::MsgKey => "MsgKey: String".to_owned(),
            Kind::Word(words) => format!("String: {}", or(words.iter().map(|word| format!("`{word}`")))),
            Kind::Form(form) => format!("String: {}", form.words),
            Kind::Integer { min: 0, max } if *max == u64::from(u32::MAX) => "Integer, 32 bits".to_owned(),
            Kind::Integer { min: 0, max: u64::MAX } => "Integer".to_owned(),
            Kind::Integer { min, max: u64::MAX } => format!("Integer, at least {min}"),
            Kind::Integer { min, max } if *max == u64::from(u32::MAX) => {
                format!("Integer, 32 bits, at least {min}")
            }
            Kind::Integer { min, max } => format!("Integer, {min} to {max}"),
            Kind::Choice(choices) => format!("Integer: {}", or(choices.iter().map(u32::to_string))),
            Kind::Flag => "Integer: 0 or 1".to_owned(),
            Kind::List { of, min: 0, max: None } => format!("Array of {}", of.many()),
            Kind::List { of, min: 0, max: Some(max) } => format!("Array of at most {max} {}", of.many()),
            Kind::List { of, min, max: Some(max) } => format!("Array of {min} to {max} {}", of.many()),
            Kind::List { of, min, max: None } => format!("Array of {}, at least {min}", of.many()),
            Kind::Object(_) | Kind::AnyObject => "Object".to_owned(),
            Kind::OneOf(kinds) => kinds.iter().map(Kind::words).collect::<Vec<_>>().join("; or "),
            Kind::Elements | Kind::StoredElements => "Array of elements".to_owned(),
            Kind::LineCode | Kind::FailedLineCode => "Integer".to_owned(),
        }
    }

    fn many(&self) -> String {
        match self {
            Kind::Text { min: 0, max: None } => "Strings".to_owned(),
            Kind::Text { max: Some(max), min } => format!("Strings of {min} to {max} bytes"),
            Kind::UserId => "UserIDs".to_owned(),
            Kind::MsgKey => "MsgKeys".to_owned(),
            Kind::Word(words) => format!("Strings: {}", or(words.iter().map(|word| format!("`{word}`")))),
            Kind::Object(_) => "Objects".to_owned(),
            other => format!("items, each {}", other.words()),
        }
    }

    /// The members of the object that it is, or that the items of a list are.
    pub fn members(&self) -> &'static [Member] {
        match self {
            Kind::Object(members) => members,
            Kind::List { of, .. } => of.members(),
            _ => &[],
        }
    }
}

fn or(words: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = words.collect();
    match words.pop() {
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} or {last}", words.join(", ")),
        None => String::new(),
    }
}
