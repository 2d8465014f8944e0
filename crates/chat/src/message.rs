//! What is said: a message as it is kept, and the content as its sender gave it.

use crate::conversation::Place;
use crate::id::{AppId, ConversationId, Side, UserId};
use bytes::Bytes;

/// A message as history, devices and events know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub from: UserId,
    pub to: UserId,
    /// Server time of the commit in seconds; never goes back within a conversation.
    pub time_s: u64,
    /// Place in the conversation, counted from 1 without a gap.
    pub seq: u64,
    /// The number the wire calls `MsgSeq`: the sender's, or the low half of `seq`.
    pub wire_seq: u32,
    /// Whether `wire_seq` was the sender's own choice; part of what makes a resend a duplicate.
    pub wire_seq_given: bool,
    pub random: u32,
    /// When the sender's side made the message, in seconds.
    pub client_time_s: u64,
    /// The app's own bytes of the message body, unknown members included.
    pub body: Bytes,
    pub custom_data: Bytes,
    /// The app's own bytes of its offline-push settings; empty when there are none.
    pub offline_push: Bytes,
    /// CRC32 of the content as it was sent, before any rewriting: a resend repeats these bytes.
    pub content_crc: u32,
    pub delivery: Delivery,
    pub fate: Fate,
}

/// What has become of a message since it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fate {
    /// Taken back: the message keeps its place, and has no content any more.
    pub recalled: bool,
    /// How often it was edited.
    pub version: u32,
    /// The recipient has confirmed that this message was read.
    pub confirmed: bool,
    /// Which of the two people have taken it out of their own history; indexed by [`Side`].
    pub deleted: [bool; 2],
}

impl Message {
    pub fn conversation(&self, app: AppId) -> ConversationId {
        ConversationId::new(app, self.from, self.to)
    }

    pub fn key(&self) -> MessageKey {
        MessageKey { wire_seq: self.wire_seq, random: self.random, time_s: self.time_s }
    }

    /// The side of a person of its conversation.
    pub fn side(&self, person: &UserId) -> Side {
        if *person == self.from.min(self.to) { Side::Low } else { Side::High }
    }

    /// Whether `viewer` finds the message in their history.
    pub fn visible_to(&self, viewer: &UserId) -> bool {
        let to_oneself = self.from == self.to;
        let hidden = if *viewer == self.from {
            self.delivery.hidden_from_sender
        } else {
            self.delivery.hidden_from_recipient
        };
        (to_oneself || !hidden) && !self.fate.deleted[self.side(viewer) as usize]
    }

    /// Whether the recipient is counted an unread message for it, as long as it is not read.
    pub fn counts(&self) -> bool {
        let Delivery { no_unread, hidden_from_recipient, .. } = self.delivery;
        self.from != self.to
            && !no_unread
            && !hidden_from_recipient
            && !self.fate.recalled
            && !self.fate.deleted[self.side(&self.to) as usize]
    }

    pub fn place(&self) -> Place {
        Place { seq: self.seq, time_s: self.time_s }
    }
}

/// What the wire calls `MsgKey`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageKey {
    pub wire_seq: u32,
    pub random: u32,
    pub time_s: u64,
}

/// How one message travels and counts. Everything off is the ordinary message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivery {
    /// Reaches devices that are online now, and is not stored.
    pub online_only: bool,
    /// The sender's history and devices do not get it.
    pub hidden_from_sender: bool,
    /// The recipient's history and devices do not get it: they do not want it, and the sender need not know.
    pub hidden_from_recipient: bool,
    /// Does not count as unread.
    pub no_unread: bool,
    /// Does not touch the conversation list.
    pub no_last: bool,
    /// The reader is expected to confirm this message by itself.
    pub needs_receipt: bool,
    /// Key-value extensions may be put on it.
    pub extensible: bool,
    /// A word list marked it.
    pub marked: bool,
    /// Was put into the history, and not sent.
    pub imported: bool,
}

/// The content of a send: opaque bytes, and what the rules need to know of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    pub body: Bytes,
    pub custom_data: Bytes,
    /// Size by the rule of the message limit, custom data included.
    pub size_bytes: usize,
    pub custom_elements: usize,
    /// The text of every text element, in order.
    pub texts: Vec<String>,
}

impl Content {
    pub fn crc(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.body);
        hasher.update(&self.custom_data);
        hasher.finalize()
    }
}
