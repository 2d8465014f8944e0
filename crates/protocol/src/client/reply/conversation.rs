//! Answers to what a device does with conversations.

use super::write_next;
use crate::{
    client::{ListPlace, Notify, Position, position},
    json::{self, write_json},
    rest::roam::RoamMessage,
};

/// The answer to `conversations`.
#[derive(Debug, Clone)]
pub struct ConversationReply<'a> {
    /// The newest first; with `peers`, those that there are, in the order asked.
    pub conversations: &'a [ConversationEntry<'a>],
    /// What to go on with; `None` at the end, and with `peers`.
    pub next: Option<ListPlace>,
    /// Where the user's log ended when they were read: nothing behind it is in them.
    pub position: Position<'a>,
    /// Unread messages in all conversations.
    pub unread: u64,
}

/// A conversation as its owner sees it.
#[derive(Debug, Clone, Copy)]
pub struct ConversationEntry<'a> {
    /// The other party.
    pub peer: &'a str,
    /// Of the message that it shows and is sorted by, in Unix seconds; 0 when it is not in the list.
    pub time_s: u64,
    /// Unread messages.
    pub unread: u64,
    /// When it was pinned, in Unix milliseconds; 0 when it is not.
    pub pinned_ms: u64,
    /// How messages of the peer are received.
    pub notify: Notify,
    /// One bit for each mark; the lowest is of mark 0, which there is not.
    pub marks: u64,
    /// What the user noted.
    pub custom: &'a str,
    /// The message that it shows.
    pub last: Option<RoamMessage<'a>>,
    /// Up to when the peer has read, in Unix seconds; 0 is never.
    pub peer_read_until_s: u64,
    /// Up to when the user has read.
    pub read_until_s: u64,
    /// What the user calls the peer in the friend list.
    pub remark: &'a str,
}

impl ConversationReply<'_> {
    pub(super) fn write_members(&self, out: &mut Vec<u8>) {
        out.reserve(self.conversations.iter().map(ConversationEntry::len_estimate).sum());
        json::raw(out, br#""conversations":"#);
        json::array(out, self.conversations, |out, shown| shown.write(out));
        write_next(out, self.next.map(|place| place.to_string()).as_deref());
        json::raw(out, b",");
        position(out, &self.position);
        write_json!(out, r#","unread":"#, number(self.unread));
    }
}

impl ConversationEntry<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#"{"peer":"#,
            string(self.peer),
            r#","time":"#,
            number(self.time_s),
            r#","unread":"#,
            number(self.unread),
            r#","pinned":"#,
            boolean(self.pinned_ms > 0),
            r#","pinned_time_ms":"#,
            number(self.pinned_ms),
            r#","notify":"#,
            string(self.notify.as_str()),
            r#","marks":"#,
        );
        let marks: Vec<u32> = (0..u64::BITS).filter(|mark| self.marks >> mark & 1 == 1).collect();
        json::array(out, &marks, |out, mark| json::number(out, u64::from(*mark)));
        write_json!(out, r#","custom":"#, string(self.custom), r#","last":"#);
        match &self.last {
            Some(message) => message.write(out),
            None => json::raw(out, b"null"),
        }
        write_json!(
            out,
            r#","peer_read_until":"#,
            number(self.peer_read_until_s),
            r#","read_until":"#,
            number(self.read_until_s),
            r#","remark":"#,
            string(self.remark),
            "}",
        );
    }

    fn len_estimate(&self) -> usize {
        240 + self.custom.len() + self.remark.len() + self.last.as_ref().map_or(0, RoamMessage::len_estimate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Reply;

    fn frame(reply: ConversationReply<'_>) -> String {
        let mut out = Vec::new();
        Reply::Conversation(reply).write(2, &mut out);
        serde_json::from_slice::<&serde_json::value::RawValue>(&out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn frames_to_the_letter() {
        let shown = ConversationEntry {
            peer: "bo",
            time_s: 9,
            unread: 2,
            pinned_ms: 5_000,
            notify: Notify::AcceptNotNotify,
            marks: 1 << 1 | 1 << 4 | 1 << 63,
            custom: "c\"",
            last: None,
            peer_read_until_s: 7,
            read_until_s: 8,
            remark: "B",
        };
        let written = r#"{"peer":"bo","time":9,"unread":2,"pinned":true,"pinned_time_ms":5000,"notify":"AcceptNotNotify","marks":[1,4,63],"custom":"c\"","last":null,"peer_read_until":7,"read_until":8,"remark":"B"}"#;
        let next = Some(ListPlace { time_s: 9, skip: 1 });
        let position = Position { epoch: "e1".into(), offset: 42 };
        assert_eq!(
            frame(ConversationReply { conversations: &[shown], next, position: position.clone(), unread: 3 }),
            format!(
                r#"{{"id":2,"ok":{{"conversations":[{written}],"next":"9-1","position":{{"epoch":"e1","offset":42}},"unread":3}}}}"#
            )
        );
        assert_eq!(
            frame(ConversationReply { conversations: &[], next: None, position, unread: 0 }),
            r#"{"id":2,"ok":{"conversations":[],"next":null,"position":{"epoch":"e1","offset":42},"unread":0}}"#
        );
    }
}
