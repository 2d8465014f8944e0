//! What is said: a message as it is kept, and the content as its sender gave it.

use crate::id::{AppId, ConversationId, UserId};
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
}

impl Message {
    pub fn conversation(&self, app: AppId) -> ConversationId {
        ConversationId::new(app, self.from, self.to)
    }

    pub fn key(&self) -> MessageKey {
        MessageKey { wire_seq: self.wire_seq, random: self.random, time_s: self.time_s }
    }

    /// Whether `viewer` finds the message in their history and log.
    pub fn visible_to(&self, viewer: &UserId) -> bool {
        !(self.delivery.hidden_from_sender && *viewer == self.from && self.from != self.to)
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
