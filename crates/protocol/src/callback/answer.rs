//! What an app's backend answers to a callback.
//!
//! Only the HTTP status and the body count, never the content type: real backends label JSON as text.

use std::{borrow::Cow, ops::RangeInclusive};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    code::{ErrorCode, Failure},
    json::{self, write_json},
    lenient::{self, slots},
    limits::{CALLBACK_ANSWER_LEN_MAX, CALLBACK_INFO_LEN_MAX},
};

/// The answer to accept a callback with, whichever it is.
pub const fn accept() -> &'static str {
    crate::rest::ok()
}

/// The answer to a before-send callback that refuses the message. A code of [`VETO_CODES`] reaches the sender along with
/// the text; with any other, the sender is told the ordinary code and text of a refusal.
pub fn veto(code: u32, info: &str) -> String {
    // A number that is no code would count as no answer at all, and the message might be sent.
    let code = if VETO_CODES.contains(&code) { code } else { 1 };
    text(|out| {
        write_json!(
            out,
            r#"{"ActionStatus":"OK","ErrorCode":"#,
            number(u64::from(code)),
            r#","ErrorInfo":"#,
            string(&shortened(info.into())),
            "}",
        );
    })
}

/// The answer to a before-send callback that stops the message and lets its sender believe that it was sent.
pub const fn drop_silently() -> &'static str {
    r#"{"ActionStatus":"OK","ErrorCode":2,"ErrorInfo":""}"#
}

/// The answer to a before-send callback that lets the message pass with another `MsgBody`, `CloudCustomData`, or both.
/// What is `None` stays as it was.
pub fn replace(body: Option<&RawValue>, custom_data: Option<&str>) -> String {
    text(|out| {
        json::raw(out, br#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"""#);
        if let Some(body) = body {
            write_json!(out, r#","MsgBody":"#, raw(body.get().as_bytes()));
        }
        if let Some(custom_data) = custom_data {
            write_json!(out, r#","CloudCustomData":"#, string(custom_data));
        }
        out.push(b'}');
    })
}

/// The codes with which a backend may refuse a message in its own words.
pub const VETO_CODES: RangeInclusive<u32> = 120_001..=130_000;

/// An answer with status 200 whose body is JSON. Members that are missing or of the wrong type are `None`.
#[derive(Debug, Clone, Default)]
pub struct Answer<'a> {
    /// `ActionStatus`.
    pub action_status: Option<Cow<'a, str>>,
    /// `ErrorCode`.
    pub error_code: Option<i64>,
    /// `ErrorInfo`.
    pub error_info: Option<Cow<'a, str>>,
    /// `MsgBody`: what to send in place of the message's body. Not looked at yet.
    pub body: Option<&'a RawValue>,
    /// `CloudCustomData`: what to send in place of the message's custom data.
    pub custom_data: Option<Cow<'a, str>>,
}

/// The body is not JSON, or longer than 64 KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotJson;

/// What a backend wants to happen to a message.
#[derive(Debug, Clone)]
pub enum BeforeVerdict<'a> {
    /// Send it, with the replacements if there are any.
    Pass {
        /// A whole `MsgBody`, to be inspected like any other.
        body: Option<&'a RawValue>,
        /// `CloudCustomData`.
        custom_data: Option<Cow<'a, str>>,
    },
    /// Refuse it; the sender is told this.
    Refuse(Failure),
    /// Do not send it, and let the sender believe that it was sent.
    Drop,
    /// The answer says nothing that could be obeyed: the app's failure policy decides, as if there were no answer.
    Unusable,
}

slots! {
    struct Members {
        action_status: "ActionStatus",
        error_code: "ErrorCode",
        error_info: "ErrorInfo",
        body: "MsgBody",
        custom_data: "CloudCustomData",
    }
}

impl<'a> Answer<'a> {
    /// Parses the body of an answer. JSON that is not an object is an answer in which everything is missing.
    pub fn parse(body: &'a [u8]) -> Result<Answer<'a>, NotJson> {
        let Some(members) = members::<Members<'a>>(body)? else { return Ok(Answer::default()) };
        Ok(Answer {
            action_status: members.action_status.string().ok().flatten(),
            error_code: members.error_code.i64().ok().flatten(),
            error_info: members.error_info.string().ok().flatten(),
            body: members.body.raw(),
            custom_data: members.custom_data.string().ok().flatten(),
        })
    }

    /// Whether the backend says that it processed the callback. Silence is consent: a callback that tells and does not
    /// ask counts as delivered by its status alone.
    pub fn accepted(&self) -> bool {
        self.error_code.unwrap_or(0) == 0 && !self.says_fail()
    }

    /// What the answer to a before-send callback means: 0 passes, 1 refuses, 2 drops, 120001–130000 refuses with the
    /// backend's own code and text. Unusable is any other code, a 0 along with `FAIL`, and an answer that has neither
    /// `ErrorCode` nor `ActionStatus`.
    pub fn before_verdict(self) -> BeforeVerdict<'a> {
        let says_ok = self.action_status.as_deref() == Some("OK");
        match self.error_code {
            Some(0) if !self.says_fail() => self.pass(),
            None if says_ok => self.pass(),
            Some(1) => BeforeVerdict::Refuse(ErrorCode::RefusedByCallback.into()),
            Some(2) => BeforeVerdict::Drop,
            Some(code @ 120_001..=130_000) => BeforeVerdict::Refuse(Failure {
                code: code as u32,
                info: Cow::Owned(shortened(self.error_info.unwrap_or_default()).into_owned()),
            }),
            _ => BeforeVerdict::Unusable,
        }
    }

    fn pass(self) -> BeforeVerdict<'a> {
        BeforeVerdict::Pass { body: self.body, custom_data: self.custom_data }
    }

    fn says_fail(&self) -> bool {
        self.action_status.as_deref() == Some("FAIL")
    }
}

/// An answer as text.
pub(super) fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).expect("JSON made of strings is UTF-8")
}

/// The members of an answer; `None` when it is JSON but not an object.
pub(super) fn members<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<Option<T>, NotJson> {
    if body.len() > CALLBACK_ANSWER_LEN_MAX {
        return Err(NotJson);
    }
    let text = std::str::from_utf8(body).map_err(|_| NotJson)?;
    // Some frameworks put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match lenient::body(text.as_bytes()) {
        Ok(members) => Ok(Some(members)),
        Err(_) => serde_json::from_str::<&RawValue>(text).map(|_| None).map_err(|_| NotJson),
    }
}

/// The text of a refusal, cut to its limit.
pub(super) fn shortened(info: Cow<'_, str>) -> Cow<'_, str> {
    let end = info.floor_char_boundary(CALLBACK_INFO_LEN_MAX);
    match info {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary::any_bytes;

    #[test]
    fn answers_and_their_meaning() {
        // Per row: the body, whether an after-callback counts as accepted, and the verdict of a before-callback.
        let table = [
            (r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#, Some(true), "pass"),
            (r#"{"ActionStatus":"OK","ErrorCode":"0"}"#, Some(true), "pass"),
            ("\u{feff} {\"ErrorCode\":0} ", Some(true), "pass"),
            (r#"{"ActionStatus":"OK"}"#, Some(true), "pass"),
            (r#"{"ActionStatus":"OK","ErrorCode":1}"#, Some(false), "refuse 20006"),
            (r#"{"ActionStatus":"FAIL","ErrorCode":1}"#, Some(false), "refuse 20006"),
            (r#"{"ActionStatus":"OK","ErrorCode":2}"#, Some(false), "drop"),
            (r#"{"ErrorCode":120001,"ErrorInfo":"no"}"#, Some(false), "refuse 120001 no"),
            (r#"{"ErrorCode":130000}"#, Some(false), "refuse 130000"),
            (r#"{"ErrorCode":120000}"#, Some(false), "unusable"),
            (r#"{"ErrorCode":130001}"#, Some(false), "unusable"),
            (r#"{"ErrorCode":-1}"#, Some(false), "unusable"),
            (r#"{"ActionStatus":"FAIL","ErrorCode":0}"#, Some(false), "unusable"),
            (r#"{"ActionStatus":"FAIL"}"#, Some(false), "unusable"),
            ("{}", Some(true), "unusable"),
            ("[]", Some(true), "unusable"),
            ("\"success\"", Some(true), "unusable"),
            ("success", None, ""),
            ("", None, ""),
            ("<html>", None, ""),
        ];
        for (body, accepted, verdict) in table {
            let answer = Answer::parse(body.as_bytes()).ok();
            assert_eq!(answer.as_ref().map(Answer::accepted), accepted, "{body}");
            let Some(answer) = answer else { continue };
            let seen = match answer.before_verdict() {
                BeforeVerdict::Pass { body: None, custom_data: None } => "pass".to_owned(),
                BeforeVerdict::Pass { .. } => "replace".to_owned(),
                BeforeVerdict::Refuse(failure) if failure.code == 20_006 => "refuse 20006".to_owned(),
                BeforeVerdict::Refuse(failure) => format!("refuse {failure}").trim_end().to_owned(),
                BeforeVerdict::Drop => "drop".to_owned(),
                BeforeVerdict::Unusable => "unusable".to_owned(),
            };
            assert_eq!(seen, verdict, "{body}");
        }
    }

    #[test]
    fn replacements() {
        let text = br#"{"ErrorCode":0,"MsgBody":[{"x":1}],"CloudCustomData":"c"}"#;
        let BeforeVerdict::Pass { body, custom_data } = Answer::parse(text).unwrap().before_verdict() else {
            panic!("a 0 passes");
        };
        assert_eq!((body.unwrap().get(), custom_data.as_deref()), (r#"[{"x":1}]"#, Some("c")));
    }

    #[test]
    fn what_is_answered_means_what_it_says() {
        let body = serde_json::from_str::<&RawValue>(r#"[{"x":1}]"#).unwrap();
        let long = "é".repeat(600);
        let cut = format!(r#"{{"ActionStatus":"OK","ErrorCode":1,"ErrorInfo":"{}"}}"#, "é".repeat(512));
        let table = [
            (accept().to_owned(), r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#, "pass None None"),
            (drop_silently().to_owned(), r#"{"ActionStatus":"OK","ErrorCode":2,"ErrorInfo":""}"#, "drop"),
            (
                veto(120_001, "say \"please\""),
                r#"{"ActionStatus":"OK","ErrorCode":120001,"ErrorInfo":"say \"please\""}"#,
                "refuse 120001 say \"please\"",
            ),
            (
                veto(130_000, ""),
                r#"{"ActionStatus":"OK","ErrorCode":130000,"ErrorInfo":""}"#,
                "refuse 130000 ",
            ),
            (veto(1, "no"), r#"{"ActionStatus":"OK","ErrorCode":1,"ErrorInfo":"no"}"#, "refuse 20006"),
            (veto(0, "no"), r#"{"ActionStatus":"OK","ErrorCode":1,"ErrorInfo":"no"}"#, "refuse 20006"),
            (veto(130_001, &long), &cut, "refuse 20006"),
            (replace(None, None), r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#, "pass None None"),
            (
                replace(Some(body), Some("{\"a\":1}")),
                r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","MsgBody":[{"x":1}],"CloudCustomData":"{\"a\":1}"}"#,
                r#"pass Some("[{\"x\":1}]") Some("{\"a\":1}")"#,
            ),
            (
                replace(None, Some("")),
                r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","CloudCustomData":""}"#,
                r#"pass None Some("")"#,
            ),
        ];
        for (answer, literal, meaning) in table {
            assert_eq!(answer, literal);
            let seen = match Answer::parse(answer.as_bytes()).unwrap().before_verdict() {
                BeforeVerdict::Pass { body, custom_data } => {
                    format!("pass {:?} {custom_data:?}", body.map(RawValue::get))
                }
                BeforeVerdict::Refuse(failure) if failure.code == 20_006 => "refuse 20006".to_owned(),
                BeforeVerdict::Refuse(failure) => format!("refuse {failure}"),
                BeforeVerdict::Drop => "drop".to_owned(),
                BeforeVerdict::Unusable => "unusable".to_owned(),
            };
            assert_eq!(seen, meaning, "{literal}");
        }
    }

    #[test]
    fn bounds() {
        let padded = |len: usize| format!("{{}}{}", " ".repeat(len - 2)).into_bytes();
        assert!(Answer::parse(&padded(CALLBACK_ANSWER_LEN_MAX)).is_ok());
        assert!(Answer::parse(&padded(CALLBACK_ANSWER_LEN_MAX + 1)).is_err());
        assert_eq!(shortened("é".repeat(600).into()).len(), 1024);
        assert_eq!(shortened(format!("a{}", "é".repeat(600)).into()).len(), 1023);
    }

    proptest::proptest! {
        #[test]
        fn any_answer_is_judged(bytes in any_bytes()) {
            if let Ok(answer) = Answer::parse(&bytes) {
                answer.before_verdict();
            }
        }
    }
}
