//! Facts told to an app's backend, as they stand in the event log.

use crate::id::{AppId, ConversationId, UserId};
use bytes::Bytes;
use std::fmt;
use std::net::IpAddr;

/// A part of an app's event log. All events of one conversation are in one lane, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    pub app: AppId,
    pub index: u16,
}

/// Names an event for ever. Receivers know duplicates by it, so it must never be given twice: the epoch is the
/// birth of the lane's log, and a wiped data directory starts another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    pub lane: Lane,
    pub epoch: u64,
    /// Place in the lane, counted from 1 without a gap.
    pub offset: u64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "evt_{}_{}_{:x}_{}", self.lane.app, self.lane.index, self.epoch, self.offset)
    }
}

/// An event as it stands in the log, with its content as it was at that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    pub recorded_ms: u64,
    /// Events of one conversation are told one at a time, in order.
    pub conversation: ConversationId,
    pub origin: Origin,
    pub fact: Fact,
}

/// An event on its way into the log; the commit gives it its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventDraft {
    pub recorded_ms: u64,
    pub conversation: ConversationId,
    pub origin: Origin,
    pub fact: Fact,
}

impl EventDraft {
    pub fn at(self, id: EventId) -> Event {
        let Self { recorded_ms, conversation, origin, fact } = self;
        Event { id, recorded_ms, conversation, origin, fact }
    }
}

/// Who caused an event, as far as the wire tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    pub ip: IpAddr,
    pub platform: Platform,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    RestApi = 0,
    Web = 1,
    Android = 2,
    Ios = 3,
    Windows = 4,
    Mac = 5,
    Ipad = 6,
    Unknown = 7,
}

impl Platform {
    pub const ALL: [Self; 8] = [
        Self::RestApi,
        Self::Web,
        Self::Android,
        Self::Ios,
        Self::Windows,
        Self::Mac,
        Self::Ipad,
        Self::Unknown,
    ];
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    AfterSend(AfterSend),
    AfterRead(AfterRead),
}

/// A conversation was marked as read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AfterRead {
    pub reader: UserId,
    pub peer: UserId,
    /// Everything up to this time is read.
    pub last_read_s: u64,
    /// The reader's unread total afterwards.
    pub unread: u32,
}

/// A send was carried out, or failed after it had been accepted for judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterSend {
    pub from: UserId,
    pub to: UserId,
    pub wire_seq: u32,
    pub random: u32,
    pub time_s: u64,
    pub client_time_s: u64,
    pub online_only: bool,
    /// A word list marked it.
    pub marked: bool,
    pub outcome: Outcome,
    pub body: Bytes,
    pub custom_data: Bytes,
}

/// The true result of a send, even where its sender is told something kinder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The recipient's unread total over all conversations after the message.
    Delivered {
        unread: u32,
    },
    Refused(Refusal),
}

/// Why a send was not carried out. Those that are kept in events have fixed numbers, since they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    UnknownAccount = 1,
    TooLong = 2,
    SeveralCustomElements = 3,
    Filtered = 4,
    Vetoed = 5,
    GateFailed = 6,
}

impl Refusal {
    pub const ALL: [Self; 6] = [
        Self::UnknownAccount,
        Self::TooLong,
        Self::SeveralCustomElements,
        Self::Filtered,
        Self::Vetoed,
        Self::GateFailed,
    ];
}

impl Refusal {
    /// Whether the backend is told that the send failed. A send that was malformed, or that the backend itself
    /// refused, is no news to it.
    pub fn is_told(self) -> bool {
        match self {
            Self::Filtered => true,
            Self::UnknownAccount
            | Self::TooLong
            | Self::SeveralCustomElements
            | Self::Vetoed
            | Self::GateFailed => false,
        }
    }
}
