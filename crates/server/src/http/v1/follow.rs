//! The same as server-sent events: a stream that goes on until one of the two sides goes away.

use super::access::Access;
use super::item::Item;
use super::position::Position;
use super::reader::{Notices, Reader};
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::unfold;
use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Events read for a stream at once; they are in memory until the reader has taken them.
const PAGE_LEN: usize = 100;
/// Pause after which a comment shows that both sides are still there. Proxies cut what is silent for a minute.
const COMMENT_SECS: u64 = 15;

/// Who follows the log.
pub(super) struct Follower {
    pub(super) reader: Reader,
    pub(super) notices: Notices,
    pub(super) access: Access,
    pub(super) stop: CancellationToken,
    #[expect(dead_code, reason = "held, not used: the place is free when the stream is gone")]
    pub(super) place: OwnedSemaphorePermit,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("reader", &self.reader).finish_non_exhaustive()
    }
}

pub(super) fn follow(follower: Follower) -> Response {
    let stream = unfold(follower, |mut follower| async {
        let bytes = follower.next().await?;
        Some((Ok::<_, Infallible>(bytes), follower))
    });
    let mut response = Response::new(Body::from_stream(stream));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Some proxies would collect the events of a minute first.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

impl Follower {
    /// What is to be said next. `None` at the end: the server stops, the caller may not be here any more, the store
    /// failed, or events were forgotten before they were read. Whoever connects again is told which.
    async fn next(&mut self) -> Option<Bytes> {
        let mut silence = pin!(sleep(Duration::from_secs(COMMENT_SECS)));
        loop {
            if self.stop.is_cancelled() || !self.access.still_holds().await {
                return None;
            }
            let page = self.reader.page(PAGE_LEN).await.ok()?;
            if !page.items.is_empty() {
                return Some(Bytes::from(events(&page.items)));
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                () = &mut silence => return Some(Bytes::from(comment(self.reader.position()))),
                () = self.notices.next(page.more) => {}
            }
        }
    }
}

fn events(items: &[Item]) -> String {
    let mut text = String::new();
    for item in items {
        // A line break would end the line. In JSON it can only stand between the words, where a space does as well:
        // inside of them it is escaped.
        let data =
            serde_json::to_string(item).expect("an item has string keys only").replace(['\n', '\r'], " ");
        text.push_str(&format!("id: {}\nevent: {}\ndata: {data}\n\n", item.position, item.event));
    }
    text
}

/// Nothing to be heard, but for the position: a reader of few of many events need not begin far back.
fn comment(position: &Position) -> String {
    format!(": nothing new\nid: {position}\n\n")
}

#[cfg(test)]
mod tests {
    use super::super::position::Place;
    use super::*;
    use bytes::Bytes;
    use chat::event::{AfterSend, Event, EventId, Fact, Lane, Origin, Outcome, Platform};
    use chat::{AppId, ConversationId, UserId};

    #[test]
    fn a_body_of_several_lines_is_one_line_of_data() {
        let [from, to] = ["ana", "bo"].map(|name| UserId::new(name).unwrap());
        let fact = AfterSend {
            from,
            to,
            wire_seq: 1,
            random: 2,
            time_s: 3,
            client_time_s: 3,
            online_only: false,
            marked: false,
            outcome: Outcome::Delivered { unread: 1 },
            body: Bytes::from_static(
                b"[{\"MsgType\":\r\n \"TIMTextElem\",\"MsgContent\":{\"Text\":\"a\\nb\"}}]",
            ),
            custom_data: Bytes::new(),
        };
        let event = Event {
            id: EventId { lane: Lane { app: AppId(1), index: 0 }, epoch: 10, offset: 4 },
            recorded_ms: 3_000,
            conversation: ConversationId::new(AppId(1), from, to),
            origin: Origin { ip: [127, 0, 0, 1].into(), platform: Platform::RestApi },
            fact: Fact::AfterSend(fact),
        };
        let position = Position(vec![Place { epoch: 10, offset: 4 }]);
        let text = events(&[Item::new(&event, &position)]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..2], ["id: a-4", "event: C2C.CallbackAfterSendMsg"]);
        assert!(lines[2].starts_with(r#"data: {"position":"a-4","id":"evt_1_0_a_4","#), "{text}");
        assert!(
            lines[2].contains(r#"[{"MsgType":   "TIMTextElem","MsgContent":{"Text":"a\nb"}}]"#),
            "{text}"
        );
        assert_eq!((lines[3], lines.len(), text.ends_with("\n\n")), ("", 4, true));
        assert_eq!(comment(&position), ": nothing new\nid: a-4\n\n");
    }
}
