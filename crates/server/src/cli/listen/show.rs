//! A callback as one line for a person.

use crate::receiver::Received;
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;

/// Longest part of a text that is shown.
const TEXT_CHARS_MAX: usize = 60;

/// What a person wants to see of a callback, whichever one it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Seen<'a> {
    #[serde(borrow, rename = "CallbackCommand")]
    pub command: Cow<'a, str>,
    #[serde(borrow, rename = "From_Account", alias = "Report_Account")]
    pub from: Cow<'a, str>,
    #[serde(borrow, rename = "To_Account", alias = "Peer_Account")]
    pub to: Cow<'a, str>,
    #[serde(rename = "SendMsgResult")]
    pub result: Option<u32>,
    #[serde(rename = "UnreadMsgNum")]
    unread: Option<i64>,
    #[serde(rename = "MsgBody")]
    body: Vec<Element>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Element {
    #[serde(rename = "MsgType")]
    kind: String,
    #[serde(rename = "MsgContent")]
    content: Value,
}

impl<'a> Seen<'a> {
    /// Of a body in any shape: what is not there is shown as nothing.
    pub(super) fn of(received: &'a Received) -> Self {
        serde_json::from_str(received.body.get()).unwrap_or_default()
    }

    pub(super) fn failed(&self) -> bool {
        self.result.is_some_and(|code| code != 0)
    }

    pub(super) fn to_line(&self, at_ms: u64, colours: bool) -> String {
        let paint =
            |code: &str, text: String| if colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text };
        let time = paint("2", clock(at_ms));
        let command = paint("36", format!("{:<28}", self.command));
        let people = format!("{} → {}", self.from, self.to);
        let outcome = match self.result {
            Some(0) => paint("32", "delivered".to_owned()),
            Some(code) => paint("31", format!("failed {code}")),
            None => String::new(),
        };
        let unread = self.unread.map_or(String::new(), |unread| format!("unread {unread}"));
        let parts = [time, command, people, self.text(), outcome, unread];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
    }

    fn text(&self) -> String {
        let parts: Vec<String> = self.body.iter().map(Element::text).collect();
        if parts.is_empty() { String::new() } else { format!("“{}”", shortened(&parts.join(" "))) }
    }
}

impl Element {
    fn text(&self) -> String {
        match self.content.get("Text").and_then(Value::as_str) {
            Some(text) => text.to_owned(),
            None => format!("[{}]", self.kind.trim_start_matches("TIM").trim_end_matches("Elem")),
        }
    }
}

/// Without what would move the cursor of a terminal.
fn shortened(text: &str) -> String {
    let mut printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let head: String = printable.by_ref().take(TEXT_CHARS_MAX).collect();
    if printable.next().is_some() { head + "…" } else { head }
}

/// Time of day, UTC.
fn clock(at_ms: u64) -> String {
    let secs = at_ms / 1000;
    format!("{:02}:{:02}:{:02}", secs / 3600 % 24, secs / 60 % 60, secs % 60)
}
