//! An event as the API writes it, and what became of it at the endpoints.

use crate::cli::moment::{clock, written};
use crate::cli::output::{element, printable, shortened};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Longest part of a text that stands in a line.
const TEXT_CHARS_MAX: usize = 60;

#[derive(Debug, Deserialize)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) event: String,
    pub(super) recorded_ms: u64,
    pub(super) client_ip: String,
    pub(super) platform: String,
    pub(super) body: Box<RawValue>,
}

impl Item {
    /// One line, for whoever follows along.
    pub(super) fn to_line(&self) -> String {
        format!("{}  {:<32} {}", clock(self.recorded_ms), self.event, self.gist())
    }

    /// What it says, in a few words. Of a body in any shape: what is not there is left out.
    pub(super) fn gist(&self) -> String {
        let body: Value = serde_json::from_str(self.body.get()).unwrap_or_default();
        let parts = [people(&body), text(&body), outcome(&body)];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
    }
}

fn word<'a>(body: &'a Value, members: &[&str]) -> &'a str {
    members.iter().find_map(|member| body[*member].as_str()).unwrap_or_default()
}

fn people(body: &Value) -> String {
    let pairs = body["PairList"].as_array().and_then(|pairs| pairs.first());
    let between = pairs.unwrap_or(body);
    let from = word(between, &["From_Account", "Report_Account"]);
    let to = word(between, &["To_Account", "Peer_Account"]);
    let people = match (from, to) {
        ("", "") => word(&body["Info"], &["To_Account"]).to_owned(),
        (from, "") => from.to_owned(),
        (from, to) => format!("{from} → {to}"),
    };
    printable(&people)
}

fn text(body: &Value) -> String {
    let elements = body["MsgBody"].as_array().map(Vec::as_slice).unwrap_or_default();
    match elements {
        [] => printable(word(&body["Info"], &["Action"])),
        elements => {
            let text = elements.iter().map(element).collect::<Vec<_>>().join(" ");
            format!("“{}”", shortened(&text, TEXT_CHARS_MAX))
        }
    }
}

fn outcome(body: &Value) -> String {
    let unread = body["UnreadMsgNum"].as_i64().filter(|unread| *unread >= 0);
    let unread = unread.map_or(String::new(), |unread| format!("unread {unread}"));
    match body["SendMsgResult"].as_i64() {
        Some(0) => format!("delivered  {unread}").trim_end().to_owned(),
        Some(code) => format!("failed {code}"),
        None => unread,
    }
}

/// How far one endpoint is with an event. Which members there are depends on `state`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Delivery {
    endpoint: String,
    state: String,
    at_ms: Option<u64>,
    attempt: Option<u32>,
    attempts: Option<u32>,
    code: Option<i64>,
    why: Option<String>,
    due_ms: Option<u64>,
    behind: Option<String>,
    last_failure: Option<String>,
    failures: Vec<Attempt>,
}

/// An attempt that failed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Attempt {
    number: u32,
    at_ms: u64,
    status: u16,
    latency_ms: u64,
    words: String,
    answer: String,
}

impl Delivery {
    /// What became of it, and every failed attempt.
    pub(super) fn to_lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{}  {}", self.endpoint, self.state())];
        lines.extend(self.failures.iter().flat_map(Attempt::to_lines));
        lines
    }

    fn state(&self) -> String {
        let attempts = self.attempts.map_or(String::new(), |count| format!(" after {}", attempts(count)));
        let at = |prefix: &str| self.at_ms.map_or(String::new(), |ms| format!(" {prefix}{}", written(ms)));
        match self.state.as_str() {
            "done" => {
                let attempt = self.attempt.map_or(String::new(), |number| format!(", attempt {number}"));
                let code = match self.code {
                    Some(code) if code != 0 => format!(", answered ErrorCode {code}"),
                    _ => String::new(),
                };
                format!("told{}{attempt}{code}", at("at "))
            }
            "not_wanted" => match &self.why {
                Some(key) => format!("not told: {} leaves it out", printable(key)),
                None => "not told: it was not wanted".to_owned(),
            },
            "waiting" => "waits for its turn".to_owned(),
            "in_flight" => format!("being told, attempt {}", self.attempt.unwrap_or(1)),
            "retrying" => {
                let due = self.due_ms.map_or(String::new(), |ms| format!(" at {}", written(ms)));
                format!("failed{attempts}, told again{due}")
            }
            "behind" => format!("waits behind {}", self.behind.as_deref().unwrap_or("another one")),
            "parked" => {
                let last = self.last_failure.as_deref().filter(|_| self.failures.is_empty());
                let last = last.map_or(String::new(), |words| format!(": {}", printable(words)));
                format!("given up{}{attempts}{last}", at("at "))
            }
            other => printable(other),
        }
    }
}

pub(super) fn attempts(count: u32) -> String {
    if count == 1 { "1 attempt".to_owned() } else { format!("{count} attempts") }
}

impl Attempt {
    fn to_lines(&self) -> Vec<String> {
        let Self { number, latency_ms, .. } = self;
        let words = printable(&self.words);
        // Most words name the status already.
        let status = match self.status {
            0 => String::new(),
            status if words.contains(&status.to_string()) => String::new(),
            status => format!(" (status {status})"),
        };
        let mut lines = vec![format!(
            "  attempt {number} at {}: {words}{status} in {latency_ms} ms",
            written(self.at_ms)
        )];
        if !self.answer.trim().is_empty() {
            lines.push(format!("    answer: {}", shortened(self.answer.trim(), 200)));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gist(body: &str) -> String {
        let body = RawValue::from_string(body.to_owned()).unwrap();
        let (id, event, word) = ("evt_1".to_owned(), "Event".to_owned(), String::new());
        Item { id, event, recorded_ms: 0, client_ip: word.clone(), platform: word, body }.gist()
    }

    #[test]
    fn what_events_say() {
        for (body, expected) in [
            (
                r#"{"From_Account":"ana","To_Account":"bo","SendMsgResult":0,"UnreadMsgNum":2,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi\u001b"}},{"MsgType":"TIMImageElem","MsgContent":{}}]}"#,
                "ana → bo  “hi  [Image]”  delivered  unread 2",
            ),
            (
                r#"{"From_Account":"ana","To_Account":"bo","SendMsgResult":20006,"UnreadMsgNum":-1,"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"x"}}]}"#,
                "ana → bo  “x”  failed 20006",
            ),
            (r#"{"Report_Account":"bo","Peer_Account":"ana","UnreadMsgNum":0}"#, "bo → ana  unread 0"),
            (r#"{"Info":{"Action":"Login","To_Account":"ana","Reason":"Register"}}"#, "ana  Login"),
            (r#"{"PairList":[{"From_Account":"ana","To_Account":"bo"},{}]}"#, "ana → bo"),
            (r#"{"From_Account":"ana","ProfileItem":[]}"#, "ana"),
            ("[1]", ""),
        ] {
            assert_eq!(gist(body), expected, "{body}");
        }
    }

    #[test]
    fn where_deliveries_stand() {
        for (json, expected) in [
            (r#"{"state":"done","at_ms":0,"attempt":2,"code":0}"#, "told at 1970-01-01 00:00:00, attempt 2"),
            (r#"{"state":"done"}"#, "told"),
            (
                r#"{"state":"done","at_ms":0,"attempt":1,"code":7}"#,
                "told at 1970-01-01 00:00:00, attempt 1, answered ErrorCode 7",
            ),
            (r#"{"state":"not_wanted","why":"senders"}"#, "not told: senders leaves it out"),
            (r#"{"state":"not_wanted"}"#, "not told: it was not wanted"),
            (r#"{"state":"waiting"}"#, "waits for its turn"),
            (r#"{"state":"in_flight","attempt":3}"#, "being told, attempt 3"),
            (
                r#"{"state":"retrying","due_ms":1000,"attempts":2}"#,
                "failed after 2 attempts, told again at 1970-01-01 00:00:01",
            ),
            (r#"{"state":"behind","behind":"evt_9"}"#, "waits behind evt_9"),
            (
                r#"{"state":"parked","at_ms":0,"attempts":9,"last_failure":"answered 400"}"#,
                "given up at 1970-01-01 00:00:00 after 9 attempts: answered 400",
            ),
        ] {
            assert_eq!(serde_json::from_str::<Delivery>(json).unwrap().state(), expected);
        }
        let attempt = Attempt {
            number: 1,
            at_ms: 0,
            status: 503,
            latency_ms: 4,
            words: "answered 503".to_owned(),
            answer: "<html>\n".to_owned(),
        };
        assert_eq!(
            attempt.to_lines(),
            ["  attempt 1 at 1970-01-01 00:00:00: answered 503 in 4 ms", "    answer: <html>"]
        );
    }
}
