//! Members of requests and answers.

use super::kind::{Kind, TEXT};
use crate::code::ErrorCode;

/// A member of a request or an answer, or of an object in one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its name on the wire.
    pub name: &'static str,
    /// Older names, accepted in its place.
    pub older: &'static [&'static str],
    /// What it may hold.
    pub kind: Kind,
    /// Whether it has to be there.
    pub presence: Presence,
    /// What it is for.
    pub meaning: &'static str,
    /// What a call is refused with when it is not as described.
    pub codes: &'static [ErrorCode],
    /// What its line of the answer has when it is not as described, and the call goes on.
    pub line_codes: &'static [ErrorCode],
    /// How it compares with the original.
    pub compat: Compat,
}

/// Whether a member has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Of a request: it has to be there. Of an answer: it always is.
    Always,
    /// Of a request: it may be left out, which means this. Of an answer: it is there in this case.
    Sometimes(&'static str),
}

/// How something compares with the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compat {
    /// As in the original.
    Same,
    /// The original's documentation leaves something open, or contradicts itself: what, and how it is here.
    Open(&'static str),
    /// As in the original, and more is accepted or given.
    More(&'static str),
    /// The original does not have it.
    Added(&'static str),
    /// Not as in the original.
    Differs(&'static str),
}

/// A member of a request that has to be there.
pub(super) const fn required(
    name: &'static str,
    kind: Kind,
    codes: &'static [ErrorCode],
    meaning: &'static str,
) -> Member {
    Member {
        name,
        older: &[],
        kind,
        presence: Presence::Always,
        meaning,
        codes,
        line_codes: &[],
        compat: Compat::Same,
    }
}

/// A member of a request that may be left out, which means `left_out`.
pub(super) const fn optional(
    name: &'static str,
    kind: Kind,
    codes: &'static [ErrorCode],
    left_out: &'static str,
    meaning: &'static str,
) -> Member {
    Member { presence: Presence::Sometimes(left_out), ..required(name, kind, codes, meaning) }
}

/// A member of an answer that is always there.
pub(super) const fn told(name: &'static str, kind: Kind, meaning: &'static str) -> Member {
    required(name, kind, &[], meaning)
}

/// A member of an answer that is there `in_case`.
pub(super) const fn told_if(
    name: &'static str,
    kind: Kind,
    in_case: &'static str,
    meaning: &'static str,
) -> Member {
    optional(name, kind, &[], in_case, meaning)
}

/// Of a line of an answer: what became of it.
pub(super) const RESULT_CODE: Member = told("ResultCode", Kind::LineCode, "0, or what went wrong.");
/// Of a line of an answer, behind its code.
pub(super) const RESULT_INFO: Member = told("ResultInfo", TEXT, "The same in words.");

impl Member {
    pub(super) const fn older(self, older: &'static [&'static str]) -> Member {
        Member { older, ..self }
    }

    pub(super) const fn line(self, line_codes: &'static [ErrorCode]) -> Member {
        Member { line_codes, ..self }
    }

    pub(super) const fn open(self, what: &'static str) -> Member {
        Member { compat: Compat::Open(what), ..self }
    }

    pub(super) const fn more(self, what: &'static str) -> Member {
        Member { compat: Compat::More(what), ..self }
    }

    pub(super) const fn differs(self, how: &'static str) -> Member {
        Member { compat: Compat::Differs(how), ..self }
    }

    pub(super) const fn added(self, why: &'static str) -> Member {
        Member { compat: Compat::Added(why), ..self }
    }
}
