//! One line of an export: an account, or a message as history shows it.
//!
//! An account is what `account_import` takes, a message what `admin_getroammsg` answers with. Exports of other systems
//! are brought into this form.

use std::borrow::Cow;

use crate::{
    code::{ErrorCode, Failure},
    lenient::{self, slots},
    rest::{
        account,
        import::{ImportKind, ImportMessage},
    },
};

/// What a line says.
#[derive(Debug, Clone)]
pub enum ExportLine<'a> {
    /// It has a `UserID`.
    Account(account::Import<'a>),
    /// It has a `From_Account` and a `MsgBody`.
    Message(Box<ImportMessage<'a>>),
    /// A message that was recalled, `MsgFlagBits` 8: there is nothing left of it.
    Recalled,
}

/// What has to stay in order: lines about the same account, or between the same two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject<'a> {
    /// Of an account.
    Account(Cow<'a, str>),
    /// Of a message.
    Pair(Cow<'a, str>, Cow<'a, str>),
}

slots! {
    struct Head {
        user_id: "UserID" | "Identifier",
        from: "From_Account",
        to: "To_Account",
        flag_bits: "MsgFlagBits",
    }
}

/// `MsgFlagBits` of a recalled message.
const RECALLED: u32 = 8;

impl<'a> ExportLine<'a> {
    /// Parses a line. Refused with the codes of `account_import` and `importmsg`.
    pub fn parse(line: &'a [u8], kind: ImportKind) -> Result<ExportLine<'a>, Failure> {
        let head: Head<'a> = lenient::body(line).map_err(|_| ErrorCode::BadJson)?;
        if !head.user_id.is_absent() {
            return account::Import::parse(line).map(ExportLine::Account);
        }
        if matches!(head.flag_bits.u32(), Ok(Some(flags)) if flags & RECALLED != 0) {
            return Ok(ExportLine::Recalled);
        }
        ImportMessage::parse_as(line, kind).map(|message| ExportLine::Message(Box::new(message)))
    }
}

impl<'a> Subject<'a> {
    /// What a line is about; `None` when it says neither.
    pub fn of(line: &'a [u8]) -> Option<Subject<'a>> {
        let head: Head<'a> = lenient::body(line).ok()?;
        if let Some(user_id) = head.user_id.string().ok()? {
            return Some(Subject::Account(user_id));
        }
        let (from, to) = (head.from.string().ok()??, head.to.string().ok()??);
        Some(if from <= to { Subject::Pair(from, to) } else { Subject::Pair(to, from) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = r#"{"From_Account":"bo","To_Account":"ada","MsgSeq":3,"MsgRandom":31,"MsgTimeStamp":1900,"MsgFlagBits":0,"IsPeerRead":0,"MsgKey":"3_31_1900","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"lunch?"}}]}"#;

    #[test]
    fn lines() {
        let kind = |line: &str| match ExportLine::parse(line.as_bytes(), ImportKind::History) {
            Ok(ExportLine::Account(_)) => "account".to_owned(),
            Ok(ExportLine::Message(message)) => format!("message {:?} of {}", message.kind, message.time_s),
            Ok(ExportLine::Recalled) => "recalled".to_owned(),
            Err(failure) => failure.code.to_string(),
        };
        let recalled = MESSAGE.replace(r#""MsgFlagBits":0"#, r#""MsgFlagBits":8"#);
        let table = [
            (r#"{"UserID":"ada","Nick":"Ada"}"#, "account"),
            (r#"{"UserID":""}"#, "70402"),
            (MESSAGE, "message History of 1900"),
            (&recalled, "recalled"),
            (r#"{"From_Account":"bo"}"#, "90003"),
            ("{}", "90008"),
            ("", "90001"),
            ("[]", "90001"),
        ];
        for (line, expected) in table {
            assert_eq!(kind(line), expected, "{line}");
        }
    }

    #[test]
    fn both_directions_are_one_subject() {
        let pair = Some(Subject::Pair("ada".into(), "bo".into()));
        assert_eq!(Subject::of(MESSAGE.as_bytes()), pair);
        assert_eq!(Subject::of(br#"{"From_Account":"ada","To_Account":"bo"}"#), pair);
        assert_eq!(Subject::of(br#"{"UserID":"ada"}"#), Some(Subject::Account("ada".into())));
        assert_eq!(Subject::of(br#"{"From_Account":"ada"}"#), None);
        assert_eq!(Subject::of(b"?"), None);
    }
}
