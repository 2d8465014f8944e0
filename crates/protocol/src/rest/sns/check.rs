//! Questions about how two users stand to each other.

use super::{end_result, fail_accounts, start};
use crate::{
    code::Failure,
    json::{self, write_json},
};

/// Whose list is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckType {
    /// That of `From_Account`.
    Single,
    /// Those of both.
    Both,
}

/// Who of the two has the other in the list of friends, or in the blocklist. A is `From_Account`, B `To_Account`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// Each has the other.
    BothWay,
    /// Only A has B.
    AWithB,
    /// Only B has A.
    BWithA,
    /// Neither has the other.
    None,
}

/// One line of the answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked<'a> {
    /// `To_Account`.
    pub to: &'a str,
    /// `Relation`, or why it is not known; the line then says [`Relation::None`], since clients expect a word.
    pub relation: Result<Relation, &'a Failure>,
}

impl CheckType {
    /// The type with this word, which begins with what is asked about. Older clients misspell one of them, as the
    /// documentation once did.
    pub(super) fn parse(word: &str, prefix: &str) -> Option<CheckType> {
        match word.strip_prefix(prefix)? {
            "_Single" | "_Singal" => Some(CheckType::Single),
            "_Both" => Some(CheckType::Both),
            _ => None,
        }
    }
}

impl Relation {
    /// The relation in which A has B or not, and B has A or not. With [`CheckType::Single`] the second is not asked,
    /// and therefore `false`.
    pub fn new(a_has_b: bool, b_has_a: bool) -> Relation {
        match (a_has_b, b_has_a) {
            (true, true) => Relation::BothWay,
            (true, false) => Relation::AWithB,
            (false, true) => Relation::BWithA,
            (false, false) => Relation::None,
        }
    }
}

/// The words of one kind of list.
pub(crate) struct Words {
    /// The member with the lines.
    pub(super) lines: &'static str,
    /// What all words begin with.
    pub(super) prefix: &'static str,
    /// How the word for [`Relation::None`] ends.
    pub(super) none: &'static str,
}

impl Words {
    /// Appends the word for a relation, as a JSON string; that for none when it is not known.
    pub(crate) fn write(&self, out: &mut Vec<u8>, relation: Option<Relation>) {
        let ending = match relation {
            Some(Relation::BothWay) => "_BothWay",
            Some(Relation::AWithB) => "_AWithB",
            Some(Relation::BWithA) => "_BWithA",
            Some(Relation::None) | None => self.none,
        };
        write_json!(out, "\"", raw(self.prefix.as_bytes()), raw(ending.as_bytes()), "\"");
    }
}

/// The answer to a question.
pub(super) fn answer(words: &Words, checked: &[Checked<'_>]) -> Vec<u8> {
    let mut bytes = start(checked.len());
    let out = &mut bytes;
    write_json!(out, string(words.lines), ":");
    json::array(out, checked, |out, line| {
        write_json!(out, r#"{"To_Account":"#, string(line.to), r#","Relation":"#);
        words.write(out, line.relation.ok());
        end_result(out, line.relation.err());
    });
    fail_accounts(out, checked.iter().filter(|line| line.relation.is_err()).map(|line| line.to));
    out.push(b'}');
    bytes
}
