//! What an endpoint's answer to an event means.

use crate::outgoing::{CallError, Reply};
use chat::dispatch::{ANSWER_HEAD_BYTES_MAX, Failure, FailureKind, FailureReason, Receipt, Verdict};
use protocol::callback::Answer;

/// Judges by status and body, never by label: receivers answer JSON as `text/plain`, and refusals as anything.
pub(super) fn verdict(
    result: &Result<Reply, CallError>,
    latency_ms: u64,
    retry_on_error_code: bool,
) -> Verdict {
    let soon = FailureKind::Passing { after_ms: None };
    let reply = match result {
        Ok(reply) => reply,
        Err(error) => {
            return Verdict::Failed { kind: soon, failure: error.failure(latency_ms) };
        }
    };
    let status = reply.status.as_u16();
    let failed = |kind, reason, words: String| Verdict::Failed {
        kind,
        failure: Failure { reason, status, latency_ms, words, answer: head(&reply.body) },
    };
    match status {
        200 => match Answer::parse(&reply.body) {
            Ok(answer) if answer.accepted() || !retry_on_error_code => {
                // Some say that they failed by the word alone.
                let unsaid = if answer.accepted() { 0 } else { 1 };
                let code = answer.error_code.filter(|code| *code != 0).unwrap_or(unsaid);
                Verdict::Done(Receipt::Answered { code })
            }
            Ok(_) => failed(soon, FailureReason::Refused, "answered that it failed".to_owned()),
            Err(_) => failed(soon, FailureReason::NotJson, "answered 200 without JSON".to_owned()),
        },
        _ => failed(reply.failure_kind(), FailureReason::Status, format!("answered {status}")),
    }
}

/// An attempt that failed before there was an answer to judge.
pub fn ours(kind: FailureKind, reason: FailureReason, words: String) -> Verdict {
    let failure = Failure { reason, status: 0, latency_ms: 0, words, answer: String::new() };
    Verdict::Failed { kind, failure }
}

/// The beginning of an answer, as text.
pub fn head(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(ANSWER_HEAD_BYTES_MAX)]);
    let mut head = text.into_owned();
    head.truncate(head.floor_char_boundary(ANSWER_HEAD_BYTES_MAX));
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use hyper::StatusCode;

    #[test]
    fn verdicts_as_a_table() {
        let (done, soon, lasting) = ("done 0", "passing", "lasting");
        for (status, retry_after_ms, body, lenient, strict) in [
            (200, None, r#"{"ActionStatus":"OK","ErrorCode":0}"#, done, done),
            (200, None, r#"{"ActionStatus":"FAIL","ErrorCode":1}"#, "done 1", soon),
            (200, None, r#"{"ActionStatus":"FAIL","ErrorCode":0}"#, "done 1", soon),
            (200, None, r#"{"ErrorCode":7}"#, "done 7", soon),
            (200, None, "{}", done, done),
            (200, None, "ok", soon, soon),
            (200, None, "", soon, soon),
            (204, None, "", soon, soon),
            (302, None, "", soon, soon),
            (400, None, "no", lasting, lasting),
            (404, None, "no", lasting, lasting),
            (408, None, "", soon, soon),
            (429, Some(7_000), "", "after 7000", "after 7000"),
            (500, None, "{}", soon, soon),
            (503, Some(u64::MAX), "", "after 18446744073709551615", "after 18446744073709551615"),
        ] {
            let reply = Ok(Reply {
                status: StatusCode::from_u16(status).unwrap(),
                retry_after_ms,
                body: Bytes::from_static(body.as_bytes()),
            });
            let name = |verdict| match verdict {
                Verdict::Done(Receipt::Answered { code }) => format!("done {code}"),
                Verdict::Done(Receipt::NotWanted) => "not wanted".to_owned(),
                Verdict::Failed { kind: FailureKind::Lasting, .. } => lasting.to_owned(),
                Verdict::Failed { kind: FailureKind::Passing { after_ms: None }, .. } => soon.to_owned(),
                Verdict::Failed { kind: FailureKind::Passing { after_ms: Some(ms) }, .. } => {
                    format!("after {ms}")
                }
                Verdict::Failed { kind: FailureKind::Ours | FailureKind::Gone, .. } => "ours".to_owned(),
            };
            assert_eq!(name(verdict(&reply, 1, false)), lenient, "{status} {body}");
            assert_eq!(name(verdict(&reply, 1, true)), strict, "{status} {body}");
        }
        let timed_out = verdict(&Err(CallError::TimedOut(5)), 5, false);
        let Verdict::Failed { failure, .. } = timed_out else { panic!("{timed_out:?}") };
        assert_eq!((failure.reason, failure.status, failure.latency_ms), (FailureReason::TimedOut, 0, 5));
    }

    #[test]
    fn only_the_beginning_of_an_answer_is_kept() {
        assert_eq!(head("é".repeat(600).as_bytes()).len(), 1_024);
        assert!(head(&[b'a'; 5_000]).len() == 1_024);
        assert!(head(&[0xff; 2_000]).len() <= 1_024);
        assert_eq!(head(b"<html>"), "<html>");
    }
}
