//! Holds what a device hears to the document of the client protocol: every frame that a test sees is described.

use crate::schema::Document;
use protocol::client::ClientFrame;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

static PAGE: &str = include_str!("../../../../docs/reference/client-protocol.md");
static DOCUMENT: LazyLock<Document> =
    LazyLock::new(|| Document::parse(include_str!("../../../../docs/reference/client-schema.json")));

/// What a device has asked, by the ids that it chose.
#[derive(Debug, Default)]
pub(crate) struct Asked(BTreeMap<u64, String>);

impl Asked {
    /// Remembers what a frame asks, if it is one.
    pub(crate) fn note(&mut self, frame: &str) {
        let Ok(frame) = serde_json::from_str::<Value>(frame) else { return };
        let Some(id) = frame["id"].as_u64() else { return };
        match frame["op"].as_str() {
            Some(op) => drop(self.0.insert(id, op.to_owned())),
            None => drop(self.0.remove(&id)),
        }
    }

    /// Panics when the document does not know such a frame.
    pub(crate) fn check(&self, frame: &str) {
        let frame: Value = serde_json::from_str(frame).unwrap();
        let json = DOCUMENT.json();
        let schema = if let Some(push) = frame["push"].as_str() {
            &json["pushes"][push]
        } else {
            let Some(op) = frame["id"].as_u64().and_then(|id| self.0.get(&id)) else { return };
            let operation = &json["operations"][op];
            if operation.is_null() {
                assert_eq!(frame["error"]["code"], 11_004, "{op} is not described: {frame}");
                return;
            }
            &operation[if frame.get("ok").is_some() { "answer" } else { "refusal" }]
        };
        assert!(!schema.is_null(), "it is not described: {frame}");
        if let Err(why) = DOCUMENT.fits(schema, &frame) {
            panic!("{frame} is not as protocol::client::surface describes it: {why}");
        }
    }
}

#[test]
fn what_is_not_described_is_found() {
    let fits = |asked: &str, heard: &str| {
        let mut device = Asked::default();
        device.note(asked);
        std::panic::catch_unwind(|| device.check(heard)).is_ok()
    };
    let ping = r#"{"id":1,"op":"ping"}"#;
    assert!(fits(ping, r#"{"id":1,"ok":{"server_time_ms":5}}"#));
    assert!(fits(ping, r#"{"id":1,"error":{"code":11003,"text":"x","temporary":true}}"#));
    assert!(fits("", r#"{"push":"kicked","reason":"revoked"}"#));
    assert!(fits(
        r#"{"id":1,"op":"dance"}"#,
        r#"{"id":1,"error":{"code":11004,"text":"x","temporary":false}}"#
    ));
    let wrong = [
        (ping, r#"{"id":1,"ok":{}}"#),
        (ping, r#"{"id":1,"ok":{"server_time_ms":5,"more":1}}"#),
        (ping, r#"{"id":1,"error":{"code":20003,"text":"x","temporary":false}}"#),
        ("", r#"{"push":"kicked","reason":"bored"}"#),
        ("", r#"{"push":"dance"}"#),
        (r#"{"id":1,"op":"dance"}"#, r#"{"id":1,"ok":{}}"#),
    ];
    for (asked, heard) in wrong {
        assert!(!fits(asked, heard), "{asked} {heard}");
    }
}

/// Every frame on the page is one, and every answer there is one to the request before it.
#[test]
fn the_examples_on_the_page_fit() {
    let mut device = Asked::default();
    let (mut asked, mut heard) = (0, 0);
    let mut in_code = false;
    for line in PAGE.lines() {
        in_code ^= line.starts_with("```");
        if !in_code && line.starts_with('#') {
            device = Asked::default();
        }
        // In the transcript a frame stands behind who says or hears it; anywhere else it begins its line.
        let frame = match line.split_once(" → ").or_else(|| line.split_once(" ← ")) {
            Some((_, frame)) => frame,
            None => line,
        };
        let Ok(json) = serde_json::from_str::<Value>(frame) else {
            assert!(!frame.starts_with(r#"{"id""#) && !frame.starts_with(r#"{"push""#), "not JSON: {line}");
            continue;
        };
        if json.get("op").is_some() {
            ClientFrame::parse(frame).unwrap_or_else(|error| panic!("{frame} is refused: {error:?}"));
            device.note(frame);
            asked += 1;
        } else if json.get("id").is_some() || json.get("push").is_some() {
            device.check(frame);
            heard += 1;
        }
    }
    assert!(asked > 10 && heard > 10, "{asked} requests and {heard} answers and pushes");
}
