//! Callbacks about people who do not exist, otherwise as real ones are.

use crate::render::{self, Callback};
use bytes::Bytes;
use chat::event::{AfterSend, Event, EventId, Fact, Lane, Origin, Outcome, Platform};
use chat::port::Question;
use chat::{AppId, Content, ConversationId, UserId};
use std::net::{IpAddr, Ipv4Addr};

const BODY: &[u8] =
    br#"[{"MsgType":"TIMTextElem","MsgContent":{"Text":"A sample, sent by couplet callback test."}}]"#;
const ORIGIN: Origin = Origin { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), platform: Platform::RestApi };
const RANDOM: u32 = 1_001;

fn people() -> [UserId; 2] {
    ["sample_ana", "sample_bo"].map(|name| UserId::new(name).expect("it is short, and of letters"))
}

/// A message was sent.
pub(super) fn after_send(app: AppId, now_ms: u64) -> Callback {
    let [from, to] = people();
    let event = Event {
        // The epoch of a real event is the birth of its log, which was not just now.
        id: EventId { lane: Lane { app, index: 0 }, epoch: now_ms, offset: 1 },
        recorded_ms: now_ms,
        conversation: ConversationId::new(app, from, to),
        origin: ORIGIN,
        fact: Fact::AfterSend(AfterSend {
            from,
            to,
            wire_seq: 1,
            random: RANDOM,
            time_s: now_ms / 1000,
            client_time_s: now_ms / 1000,
            online_only: false,
            marked: false,
            outcome: Outcome::Delivered { unread: 1 },
            body: Bytes::from_static(BODY),
            custom_data: Bytes::new(),
        }),
    };
    render::event(&event)
}

/// May this message be sent?
pub(super) fn before_send(app: AppId, now_ms: u64) -> Callback {
    let [from, to] = people();
    let content = Content { body: Bytes::from_static(BODY), ..Content::default() };
    let question = Question {
        app,
        from,
        to,
        wire_seq: 2,
        random: RANDOM,
        time_s: now_ms / 1000,
        client_time_s: now_ms / 1000,
        online_only: false,
        operator: None,
        marked: false,
        content: &content,
        origin: ORIGIN,
    };
    render::before_send(&question, format!("ask_sample_{now_ms:x}"), now_ms)
}
