//! How a conversation is read in pages, in either direction.
//!
//! Here once, so that no store can page differently from another: a store offers the messages in order, and
//! [`PageBuilder`] says which of them are on the page.

use crate::conversation::View;
use crate::id::{ConversationId, UserId};
use crate::message::{Message, MessageKey};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// Messages that a page passes over because the viewer does not see them any more. Beyond it the page ends, short or
/// even empty as it may be, and says where the next one goes on: what was deleted one by one, or written by somebody who
/// is blocked, must not make the server read through all of it for a single page.
pub const HIDDEN_LEN_MAX: usize = 1_000;

#[derive(Debug, Clone, Copy)]
pub struct HistoryQuery {
    pub conversation: ConversationId,
    pub viewer: UserId,
    pub direction: Direction,
    /// Both ends belong to the window.
    pub time_s_min: u64,
    pub time_s_max: u64,
    /// Go on behind this message, in the direction of the page: behind the first one that is met, where several bear
    /// the name. One that is not there stands behind everything of its second.
    pub behind: Option<MessageKey>,
    /// At least 1.
    pub limit: usize,
    /// A page ends before it would pass this many bytes of content, though never before its first message.
    pub bytes_max: usize,
}

/// Which way a page runs, and so which message is its first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// The newest first.
    #[default]
    Older,
    /// The oldest first.
    Newer,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryPage {
    /// In the direction of the page.
    pub messages: Vec<Message>,
    /// What the next page goes on behind, which need not be on this one. `None`: the window holds nothing further in
    /// the direction of the page.
    pub next: Option<MessageKey>,
}

impl HistoryPage {
    pub fn is_complete(&self) -> bool {
        self.next.is_none()
    }
}

impl HistoryQuery {
    /// An empty page to fill, with what the viewer has of the conversation.
    pub fn page(&self, view: &View) -> PageBuilder {
        PageBuilder {
            query: HistoryQuery { time_s_min: self.time_s_min.max(view.oldest_s), ..*self },
            cleared_seq: view.cleared_seq,
            messages: Vec::new(),
            bytes: 0,
            behind: self.behind.is_none(),
            second: 0,
            met: HashSet::new(),
            ends_repeated: false,
            hidden: 0,
            next: None,
        }
    }
}

/// Fills a page with the messages of a conversation, offered in its direction, by the rules of a query.
///
/// Names are the senders' choice, so two messages of a second can bear the same one, and a page that goes on behind a
/// name goes on behind the first of them. So no page ends at a second one: it would be the beginning of the same page
/// again. It goes on until a name is new, and passes its bounds for that, up to twice as many messages and bytes;
/// beyond them, messages of a name that was met before are left out.
#[derive(Debug)]
pub struct PageBuilder {
    query: HistoryQuery,
    cleared_seq: u64,
    messages: Vec<Message>,
    bytes: usize,
    /// Whether the message to go on behind has been met.
    behind: bool,
    /// The second of the last message that was offered, and the names that were met in it.
    second: u64,
    met: HashSet<(u32, u32)>,
    /// The last message of the page bears a name that was met before it.
    ends_repeated: bool,
    /// Messages that were passed over.
    hidden: usize,
    next: Option<MessageKey>,
}

impl PageBuilder {
    /// The second from which messages have to be offered, all of it.
    pub fn start_s(&self) -> u64 {
        let HistoryQuery { direction, time_s_min, time_s_max, behind, .. } = self.query;
        match direction {
            Direction::Older => behind.map_or(time_s_max, |behind| behind.time_s.min(time_s_max)),
            Direction::Newer => behind.map_or(time_s_min, |behind| behind.time_s.max(time_s_min)),
        }
    }

    /// Breaks when the page needs no further message.
    pub fn take(&mut self, message: &Message) -> ControlFlow<()> {
        let HistoryQuery { direction, time_s_min, time_s_max, .. } = self.query;
        let (is_early, is_late) = match direction {
            Direction::Older => (message.time_s > time_s_max, message.time_s < time_s_min),
            Direction::Newer => (message.time_s < time_s_min, message.time_s > time_s_max),
        };
        if is_late {
            return ControlFlow::Break(());
        }
        if is_early || !self.is_behind(message) {
            return ControlFlow::Continue(());
        }
        let repeats = !self.meet(message);
        // Only now: a message that is not shown any more can still be the one to go on behind.
        if message.seq <= self.cleared_seq || !message.visible_to(&self.query.viewer) {
            self.hidden += 1;
            // Never behind a name that was met before: the next page would begin behind the first that bears it.
            if self.hidden < HIDDEN_LEN_MAX || repeats {
                return ControlFlow::Continue(());
            }
            self.next = Some(message.key());
            return ControlFlow::Break(());
        }
        let bytes = self.bytes + message.body.len() + message.custom_data.len();
        if self.is_past(1, bytes) {
            if !self.ends_repeated {
                self.next = self.messages.last().map(Message::key);
                return ControlFlow::Break(());
            }
            if repeats && self.is_past(2, bytes) {
                return ControlFlow::Continue(());
            }
        }
        self.bytes = bytes;
        self.ends_repeated = repeats;
        self.messages.push(message.clone());
        ControlFlow::Continue(())
    }

    /// Whether a message that would make it so many bytes passes so many times the bounds of the page.
    fn is_past(&self, times: usize, bytes: usize) -> bool {
        let HistoryQuery { limit, bytes_max, .. } = self.query;
        let is_full = self.messages.len() >= limit.saturating_mul(times);
        !self.messages.is_empty() && (is_full || bytes > bytes_max.saturating_mul(times))
    }

    /// Whether the message stands behind the one to go on behind.
    fn is_behind(&mut self, message: &Message) -> bool {
        let Some(behind) = self.query.behind.filter(|_| !self.behind) else {
            return true;
        };
        if message.time_s == behind.time_s {
            self.meet(message);
            self.behind = message.key() == behind;
            return false;
        }
        self.behind = match self.query.direction {
            Direction::Older => message.time_s < behind.time_s,
            Direction::Newer => message.time_s > behind.time_s,
        };
        self.behind
    }

    /// Whether nothing of this second was met under this name before.
    fn meet(&mut self, message: &Message) -> bool {
        if message.time_s != self.second {
            self.second = message.time_s;
            self.met.clear();
        }
        self.met.insert((message.wire_seq, message.random))
    }

    pub fn finish(self) -> HistoryPage {
        HistoryPage { messages: self.messages, next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::AppId;
    use crate::message::{Delivery, Fate};
    use bytes::Bytes;

    fn user(text: &str) -> UserId {
        UserId::new(text).unwrap()
    }

    /// A message of three bytes that bears a name by its number.
    fn message(seq: u64, time_s: u64, random: u32) -> Message {
        Message {
            from: user("ana"),
            to: user("bo"),
            time_s,
            seq,
            wire_seq: 1,
            wire_seq_given: true,
            random,
            client_time_s: 0,
            body: Bytes::from_static(b"abc"),
            custom_data: Bytes::new(),
            offline_push: Bytes::new(),
            content_crc: 0,
            delivery: Delivery::default(),
            fate: Fate::default(),
        }
    }

    fn query(direction: Direction, limit: usize, bytes_max: usize) -> HistoryQuery {
        HistoryQuery {
            conversation: ConversationId::new(AppId(1), user("ana"), user("bo")),
            viewer: user("bo"),
            direction,
            time_s_min: 0,
            time_s_max: u64::MAX,
            behind: None,
            limit,
            bytes_max,
        }
    }

    fn page(query: &HistoryQuery, messages: &[Message]) -> HistoryPage {
        let mut offered = messages.to_vec();
        offered.sort_by_key(|message| (message.time_s, message.seq));
        if query.direction == Direction::Older {
            offered.reverse();
        }
        let mut page = query.page(&View::default());
        for message in &offered {
            if page.take(message).is_break() {
                break;
            }
        }
        page.finish()
    }

    /// The numbers of the messages on each page, asked for one after the other as a device does.
    fn pages(mut query: HistoryQuery, messages: &[Message]) -> Vec<Vec<u64>> {
        let mut seen = Vec::new();
        loop {
            let page = page(&query, messages);
            seen.push(page.messages.iter().map(|message| message.seq).collect());
            assert!(seen.len() < 100, "{seen:?}");
            if page.is_complete() {
                return seen;
            }
            query.behind = page.next;
        }
    }

    #[test]
    fn pages_run_in_either_direction() {
        let messages: Vec<Message> = (1..=5).map(|seq| message(seq, 100 + seq / 2, seq as u32)).collect();
        let older = pages(query(Direction::Older, 2, 100), &messages);
        assert_eq!(older, [vec![5, 4], vec![3, 2], vec![1]]);
        let newer = pages(query(Direction::Newer, 2, 100), &messages);
        assert_eq!(newer, [vec![1, 2], vec![3, 4], vec![5]]);
        let by_bytes = pages(query(Direction::Newer, 9, 3), &messages);
        assert_eq!(by_bytes, [[1], [2], [3], [4], [5]]);
        let window = HistoryQuery { time_s_min: 101, time_s_max: 101, ..query(Direction::Newer, 9, 100) };
        assert_eq!(pages(window, &messages), [[2, 3]]);
    }

    #[test]
    fn one_that_is_not_there_stands_behind_its_second() {
        let messages: Vec<Message> = (1..=4).map(|seq| message(seq, 100 + seq / 2, seq as u32)).collect();
        let behind = Some(MessageKey { wire_seq: 7, random: 7, time_s: 101 });
        let from = |direction| HistoryQuery { behind, ..query(direction, 9, 100) };
        assert_eq!(pages(from(Direction::Older), &messages), [[1]]);
        assert_eq!(pages(from(Direction::Newer), &messages), [[4]]);
    }

    #[test]
    fn what_is_hidden_is_not_read_without_end() {
        let hidden = |seq| Message {
            delivery: Delivery { hidden_from_recipient: true, ..Delivery::default() },
            ..message(seq, seq, 7)
        };
        let shown = |seq| message(seq, seq, 7);
        let max = HIDDEN_LEN_MAX as u64;
        // The oldest, then as many hidden ones as two pages pass over and one more, and the newest.
        let last = 2 * max + 3;
        let mut messages = vec![shown(1)];
        messages.extend((2..last).map(hidden));
        messages.push(shown(last));
        let older = pages(query(Direction::Older, 9, 100), &messages);
        assert_eq!(older, [vec![last], vec![], vec![1]]);
        let newer = pages(query(Direction::Newer, 9, 100), &messages);
        assert_eq!(newer, [vec![1], vec![], vec![last]]);
        // One fewer, and there is no need to go on.
        let few: Vec<Message> = (1..max).map(hidden).chain([shown(max)]).collect();
        assert_eq!(pages(query(Direction::Newer, 9, 100), &few), [[max]]);
        // All under one name, in one second: only the first of them could be gone on behind.
        let twins: Vec<Message> =
            (1..=2 * max).map(|seq| Message { time_s: 5, ..hidden(seq) }).chain([shown(6_000)]).collect();
        assert_eq!(pages(query(Direction::Newer, 9, 100), &twins), [[6_000]]);
    }

    #[test]
    fn messages_of_one_name_never_make_pages_go_round() {
        // Two messages of a second with the same numbers: the page behind the older one began with it again.
        let twins = [message(1, 100, 7), message(2, 100, 7), message(3, 100, 8), message(4, 101, 7)];
        for (direction, expected) in [
            (Direction::Older, vec![vec![4], vec![3], vec![2], vec![1]]),
            (Direction::Newer, vec![vec![1], vec![2, 3], vec![4]]),
        ] {
            assert_eq!(pages(query(direction, 1, 100), &twins), expected);
        }
        // All of a second: it ends, though nobody could name most of them.
        let mut crowd: Vec<Message> = (1..=30).map(|seq| message(seq, 100, 7)).collect();
        crowd.push(message(31, 101, 7));
        let newer = pages(query(Direction::Newer, 2, 100), &crowd);
        assert_eq!(newer, [vec![1, 2, 3, 4, 31]]);
        let older = pages(query(Direction::Older, 2, 100), &crowd);
        assert_eq!(older, [vec![31, 30], vec![29, 28, 27, 26]]);
    }
}
