//! Facts told to an app's backend, as they stand in the event log.

use crate::id::{AppId, ConversationId, UserId};
use crate::message::{Message, MessageKey};
use bytes::Bytes;
use std::fmt;
use std::net::IpAddr;

/// A part of an app's event log. All events of one conversation are in one lane, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    pub app: AppId,
    pub index: u16,
}

impl Lane {
    /// Every lane of an app that has so many.
    pub fn all_of(app: AppId, count: u16) -> impl Iterator<Item = Self> + use<> {
        (0..count).map(move |index| Self { app, index })
    }
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
    pub fn new(app: AppId, recorded_ms: u64, origin: Origin, fact: Fact) -> Self {
        let [one, other] = fact.people();
        Self { recorded_ms, conversation: ConversationId::new(app, one, other), origin, fact }
    }

    /// Whether it only makes sense between people who have accounts: a send to nobody is no refused send.
    pub fn needs_accounts(&self) -> bool {
        matches!(self.fact, Fact::AfterSend(AfterSend { outcome: Outcome::Refused(_), .. }))
    }

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

/// What happened. Every kind is a callback of its own; what it is called there is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    AfterSend(AfterSend),
    AfterRead(AfterRead),
    AfterRecall(AfterRecall),
    AfterEdit(AfterEdit),
    AfterExtension(AfterExtension),
    State(StateChange),
    Relation(RelationChange),
    Profile(ProfileChange),
    /// A message was stored of which the backend is not told. Parts of the server that follow the log still have to
    /// know of it.
    Stored(MessageName),
    /// A message found no device of its recipient.
    Missed(MissedMessage),
}

impl Fact {
    /// The two people between whom it happened, and so the order in which it is told. What concerns one person alone
    /// stands in the conversation that person has with itself.
    pub fn people(&self) -> [UserId; 2] {
        match self {
            Self::AfterSend(fact) => [fact.from, fact.to],
            Self::AfterRead(fact) => [fact.reader, fact.peer],
            Self::AfterRecall(fact) => [fact.message.from, fact.message.to],
            Self::AfterEdit(fact) => [fact.message.from, fact.message.to],
            Self::AfterExtension(fact) => [fact.message.from, fact.message.to],
            Self::State(fact) => [fact.user, fact.user],
            Self::Relation(fact) => [fact.from, fact.to],
            Self::Profile(fact) => [fact.user, fact.user],
            Self::Stored(message) => [message.from, message.to],
            Self::Missed(fact) => [fact.message.from, fact.message.to],
        }
    }

    /// Bytes of the content that an app chose, which are all that can be many.
    pub fn content_bytes(&self) -> usize {
        match self {
            Self::AfterSend(fact) => fact.body.len() + fact.custom_data.len(),
            Self::AfterEdit(fact) => fact.body.len() + fact.custom_data.len(),
            Self::AfterExtension(fact) => {
                fact.items.iter().map(|item| item.key.len() + item.value.len()).sum()
            }
            Self::Profile(fact) => fact.items.iter().map(|(tag, value)| tag.len() + value.len()).sum(),
            Self::Missed(fact) => fact.body.len() + fact.custom_data.len(),
            Self::AfterRead(_)
            | Self::AfterRecall(_)
            | Self::State(_)
            | Self::Relation(_)
            | Self::Stored(_) => 0,
        }
    }
}

/// Names a message in the words of the wire, with the people it was between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageName {
    pub from: UserId,
    pub to: UserId,
    pub wire_seq: u32,
    pub random: u32,
    pub time_s: u64,
}

impl MessageName {
    pub fn of(message: &Message) -> Self {
        let Message { from, to, wire_seq, random, time_s, .. } = *message;
        Self { from, to, wire_seq, random, time_s }
    }

    pub fn key(&self) -> MessageKey {
        MessageKey { wire_seq: self.wire_seq, random: self.random, time_s: self.time_s }
    }
}

/// A message was stored, and no device of its recipient was there to get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissedMessage {
    pub message: MessageName,
    /// The recipient's unread total when that was found out.
    pub unread: u32,
    pub body: Bytes,
    pub custom_data: Bytes,
}

/// A message was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AfterRecall {
    pub message: MessageName,
    /// The recipient's unread total afterwards.
    pub unread: u32,
}

/// A message was edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterEdit {
    pub operator: UserId,
    pub message: MessageName,
    /// As they are since the edit.
    pub body: Bytes,
    pub custom_data: Bytes,
}

/// Key-value pairs were put on a message, or taken off it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterExtension {
    pub message: MessageName,
    pub change: ExtensionChange,
    /// Empty when all were taken off.
    pub items: Vec<ExtensionItem>,
    /// Of the message's whole set.
    pub version: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtensionChange {
    Set = 1,
    Delete = 2,
    Clear = 3,
}

impl ExtensionChange {
    pub const ALL: [Self; 3] = [Self::Set, Self::Delete, Self::Clear];
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionItem {
    pub key: String,
    /// Empty when it was taken off.
    pub value: String,
    pub version: u64,
}

/// A user's device came, or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    pub user: UserId,
    pub action: StateAction,
    /// Devices that had to go because this one came.
    pub kicked: Vec<Platform>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StateAction {
    Login = 1,
    Logout = 2,
    /// The connection closed.
    LinkClosed = 3,
    /// Nothing was heard for too long.
    TimedOut = 4,
}

impl StateAction {
    pub const ALL: [Self; 4] = [Self::Login, Self::Logout, Self::LinkClosed, Self::TimedOut];
}

/// What one person is to another has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelationChange {
    /// Whose list it is.
    pub from: UserId,
    pub to: UserId,
    pub relation: Relation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    Befriended(Befriended),
    Unfriended {
        /// The other list lost its entry too.
        mutual: bool,
    },
    Blocked,
    Unblocked,
}

/// How two people became friends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Befriended {
    pub initiator: UserId,
    /// The other list has an entry now too.
    pub mutual: bool,
    /// By accepting a request, not by making one.
    pub accepted: bool,
    /// Who did it over REST, if it was done there.
    pub admin: Option<UserId>,
    pub forced: bool,
}

/// A profile was written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileChange {
    pub operator: UserId,
    pub user: UserId,
    /// Only what was written: tag and value.
    pub items: Vec<(String, ProfileValue)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileValue {
    Number(u32),
    Text(String),
}

impl ProfileValue {
    fn len(&self) -> usize {
        match self {
            Self::Number(_) => size_of::<u32>(),
            Self::Text(text) => text.len(),
        }
    }
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
    SenderMuted = 7,
    /// By the recipient.
    Blocked = 8,
    /// Only friends may write to one another, and neither has the other.
    NotFriends = 9,
    NotInRecipientsFriends = 10,
    NotInSendersFriends = 11,
}

impl Refusal {
    pub const ALL: [Self; 11] = [
        Self::UnknownAccount,
        Self::TooLong,
        Self::SeveralCustomElements,
        Self::Filtered,
        Self::Vetoed,
        Self::GateFailed,
        Self::SenderMuted,
        Self::Blocked,
        Self::NotFriends,
        Self::NotInRecipientsFriends,
        Self::NotInSendersFriends,
    ];
}

impl Refusal {
    /// Whether the backend is told that the send failed. A send that was malformed, or that the backend itself
    /// refused, is no news to it.
    pub fn is_told(self) -> bool {
        match self {
            Self::Filtered
            | Self::SenderMuted
            | Self::Blocked
            | Self::NotFriends
            | Self::NotInRecipientsFriends
            | Self::NotInSendersFriends => true,
            Self::UnknownAccount
            | Self::TooLong
            | Self::SeveralCustomElements
            | Self::Vetoed
            | Self::GateFailed => false,
        }
    }
}
