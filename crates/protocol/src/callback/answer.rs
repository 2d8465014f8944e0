//! What an app's backend answers to a callback.
//!
//! Only the HTTP status and the body count, never the content type: real backends label JSON as text.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::{
    code::{ErrorCode, Failure},
    lenient::{self, slots},
    limits::{CALLBACK_ANSWER_LEN_MAX, CALLBACK_INFO_LEN_MAX},
};

/// The answer to accept a callback with, whichever it is.
pub const fn accept() -> &'static str {
    crate::rest::ok()
}

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
        if body.len() > CALLBACK_ANSWER_LEN_MAX {
            return Err(NotJson);
        }
        let text = std::str::from_utf8(body).map_err(|_| NotJson)?;
        // Some frameworks put a byte order mark in front.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let Ok(members) = lenient::body::<Members<'a>>(text.as_bytes()) else {
            return serde_json::from_str::<&RawValue>(text).map(|_| Answer::default()).map_err(|_| NotJson);
        };
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
                info: Cow::Owned(shortened(&self.error_info.unwrap_or_default())),
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

fn shortened(info: &str) -> String {
    info[..info.floor_char_boundary(CALLBACK_INFO_LEN_MAX)].to_owned()
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
    fn bounds() {
        let padded = |len: usize| format!("{{}}{}", " ".repeat(len - 2)).into_bytes();
        assert!(Answer::parse(&padded(CALLBACK_ANSWER_LEN_MAX)).is_ok());
        assert!(Answer::parse(&padded(CALLBACK_ANSWER_LEN_MAX + 1)).is_err());
        assert_eq!(shortened(&"é".repeat(600)).len(), 1024);
        assert_eq!(shortened(&format!("a{}", "é".repeat(600))).len(), 1023);
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
