//! What an endpoint's answer to an event means.

use super::call::{CallError, Reply};
use chat::dispatch::{FailureKind, Verdict};
use protocol::callback::Answer;

/// Enough of an answer to see what went wrong.
const WORDS_CHARS_MAX: usize = 256;

/// Judges by status and body, never by label: receivers answer JSON as `text/plain`, and refusals as anything.
pub(super) fn verdict(result: &Result<Reply, CallError>, retry_on_error_code: bool) -> Verdict {
    let passing = |words: String| Verdict::Failed { kind: FailureKind::Passing { after_ms: None }, words };
    let reply = match result {
        Ok(reply) => reply,
        Err(error) => return passing(error.to_string()),
    };
    match reply.status.as_u16() {
        200 => match Answer::parse(&reply.body) {
            Ok(answer) if answer.accepted() || !retry_on_error_code => Verdict::Done,
            Ok(_) => passing(quoted("answered that it failed", &reply.body)),
            Err(_) => passing(quoted("answered 200 without JSON", &reply.body)),
        },
        status @ (408 | 429 | 500..=599) => Verdict::Failed {
            kind: FailureKind::Passing {
                after_ms: reply.retry_after_secs.map(|secs| secs.saturating_mul(1000)),
            },
            words: quoted(&format!("answered {status}"), &reply.body),
        },
        status @ 400..=499 => Verdict::Failed {
            kind: FailureKind::Lasting,
            words: quoted(&format!("answered {status}"), &reply.body),
        },
        // Redirects are not followed, and nobody promised that other answers mean anything.
        status => passing(quoted(&format!("answered {status}"), &reply.body)),
    }
}

fn quoted(what: &str, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let head: String = text.chars().filter(|c| !c.is_control()).take(WORDS_CHARS_MAX).collect();
    if head.is_empty() { what.to_owned() } else { format!("{what}: {head}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use hyper::StatusCode;

    #[test]
    fn verdicts_as_a_table() {
        let (done, soon, lasting) = ("done", "passing", "lasting");
        for (status, retry_after_secs, body, lenient, strict) in [
            (200, None, r#"{"ActionStatus":"OK","ErrorCode":0}"#, done, done),
            (200, None, r#"{"ActionStatus":"FAIL","ErrorCode":1}"#, done, soon),
            (200, None, "{}", done, done),
            (200, None, "ok", soon, soon),
            (200, None, "", soon, soon),
            (204, None, "", soon, soon),
            (302, None, "", soon, soon),
            (400, None, "no", lasting, lasting),
            (404, None, "no", lasting, lasting),
            (408, None, "", soon, soon),
            (429, Some(7), "", "after 7000", "after 7000"),
            (500, None, "{}", soon, soon),
            (503, Some(u64::MAX), "", "after 18446744073709551615", "after 18446744073709551615"),
        ] {
            let reply = Ok(Reply {
                status: StatusCode::from_u16(status).unwrap(),
                retry_after_secs,
                body: Bytes::from_static(body.as_bytes()),
            });
            let name = |verdict| match verdict {
                Verdict::Done => done.to_owned(),
                Verdict::Failed { kind: FailureKind::Lasting, .. } => lasting.to_owned(),
                Verdict::Failed { kind: FailureKind::Passing { after_ms: None }, .. } => soon.to_owned(),
                Verdict::Failed { kind: FailureKind::Passing { after_ms: Some(ms) }, .. } => {
                    format!("after {ms}")
                }
            };
            assert_eq!(name(verdict(&reply, false)), lenient, "{status} {body}");
            assert_eq!(name(verdict(&reply, true)), strict, "{status} {body}");
        }
        assert!(matches!(verdict(&Err(CallError::TimedOut(1)), false), Verdict::Failed { .. }));
    }
}
