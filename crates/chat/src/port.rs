//! What the rules need of the world: a store, a bus, the app's own opinion, and the time.
//!
//! The [`Store`] offers whole operations: each is atomic, and durable when it returns. [`crate::model`] says by
//! example what they mean; one contract suite holds every store to it.

pub use crate::admit::Terms;
pub use crate::alter::{Alter, Altered, Found};
pub use crate::append::{Append, ImportMessage, Imported};
pub use crate::contact::{ChangeView, ContactsPage, ContactsQuery};
pub use crate::dispatch::{
    Checkpoint, Delivered, DeliveryState, Exception, FailedAttempt, Kept, Replay, Tenure,
};
pub use crate::effect::Told;
pub use crate::history::{Direction, HistoryPage, HistoryQuery, PageBuilder};
pub use crate::lease::{LeaseAsk, LeaseTable};
pub use crate::message::MessageKey;
pub use crate::person::{ChangePerson, Listed, PersonChanged, Portrait, Tie};
pub use crate::relate::{Relate, Related};

use crate::conversation::{Conversation, Inbox, LogEntry, Place, Position};
use crate::event::{
    AfterRead, AfterSend, Event, EventDraft, EventId, Fact, Lane, Origin, ProfileValue, Refusal,
};
use crate::guard::{FirstSend, SendKey};
use crate::id::{AppId, ConversationId, UserId};
use crate::message::{Content, Message};
use async_trait::async_trait;
use std::sync::Arc;

/// A store failed. What callers asked for may or may not have been committed; asking again is safe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Try again later.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// A row cannot be what was written. Somebody has to look.
    #[error("the store is corrupt: {table}, row {row}: {what}")]
    Corrupt { table: &'static str, row: String, what: String },
}

pub type Stored<T> = Result<T, StoreError>;

/// The state of all apps, as whole operations.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Makes the accounts exist. One that exists keeps everything, and takes the new names if any are given. Nothing
    /// is made by a login whose credential is worthless by now.
    async fn import_accounts(&self, app: AppId, accounts: Vec<Account>, now_ms: u64) -> Stored<()>;

    /// Which of the users have an account, in the order asked.
    async fn accounts_exist(&self, app: AppId, users: Vec<UserId>) -> Stored<Vec<bool>>;

    /// Deletes accounts with all that is theirs: log, counts, profile, relations, and their side of every conversation.
    /// Says which of them existed. The other side keeps its own view of a conversation; what neither of the two can
    /// see any more is gone. Credentials that were issued before are worthless,
    /// also for an account that is made anew.
    async fn delete_accounts(&self, app: AppId, users: Vec<UserId>, now_ms: u64) -> Stored<Vec<bool>>;

    /// Commits a message as one fact: the message, both conversation views, the recipient's unread, both users'
    /// log entries, the event, and the duplicate guard. An online-only message commits its event; its resends are only
    /// known to the process that took it.
    async fn append(&self, append: Append) -> Stored<Appended>;

    /// Puts messages of another time into their conversations, in this order, with both views and, for those that are
    /// live, the recipient's unread and both logs. They have no events. One that is refused does not stop the others.
    async fn import_messages(&self, imports: Vec<ImportMessage>) -> Stored<Vec<Imported>>;

    /// Does something to one message, with the counts, the log entries of those who see it, and the event.
    async fn alter(&self, alter: Alter) -> Stored<Altered>;

    /// The newest message of two people that has this key, whoever of them wrote it.
    async fn find(&self, conversation: ConversationId, key: MessageKey) -> Stored<Option<Found>>;

    /// The same for one of the two people: only if it is in their history.
    async fn find_for(
        &self,
        conversation: ConversationId,
        viewer: UserId,
        key: MessageKey,
    ) -> Stored<Option<Found>>;

    /// What became of a send.
    async fn landed(&self, query: SendQuery) -> Stored<Landing>;

    /// Commits an event by itself. `None` when it tells that a send was refused, and one of its people has no account.
    async fn record(&self, draft: EventDraft) -> Stored<Option<EventId>>;

    /// What a send would meet if it were committed now.
    async fn preview(&self, key: SendKey, terms: Terms, now_s: u64) -> Stored<Preview>;

    /// Marks what `reader` has of the conversation with `peer` as read, with the log entries of both and the event. `None` when nothing was unread, or there is no such account.
    async fn mark_read(&self, mark: MarkRead) -> Stored<Option<ReadMark>>;

    /// A page of a conversation, as `viewer` sees it, in the direction that is asked for.
    async fn history(&self, query: HistoryQuery) -> Stored<HistoryPage>;

    /// Changes a person's own view of a conversation, with the counts and the log entry. A conversation without
    /// messages begins when it is pinned or something is noted of it.
    async fn change_view(&self, change: ChangeView) -> Stored<ViewChanged>;

    /// A page of a person's list of conversations. `None` without an account.
    async fn contacts(&self, query: ContactsQuery) -> Stored<Option<ContactsPage>>;

    /// The entries of these peers in the order asked, with their details, whether they are in the list or not. Peers of
    /// whom there is nothing to show are left out. `None` without an account.
    async fn contacts_with(
        &self,
        app: AppId,
        owner: UserId,
        peers: Vec<UserId>,
    ) -> Stored<Option<ContactsPage>>;

    /// Changes something about one person, with the log entry and the event, if it has one. A push token that someone
    /// else of the app had moves with the change.
    async fn change_person(&self, change: ChangePerson) -> Stored<PersonChanged>;

    /// What is kept of people, in the order asked. `None` for those without an account.
    async fn people(&self, app: AppId, users: Vec<UserId>) -> Stored<Vec<Option<Portrait>>>;

    /// Up to when issued credentials of a user are worthless, whether there is an account or not; 0 is never.
    async fn revoked_s(&self, app: AppId, user: UserId) -> Stored<u64>;

    /// Changes what two people are to one another: both lists, the log entries, and the events.
    async fn relate(&self, relate: Relate) -> Stored<Related>;

    /// What each first of a pair keeps of the second, in the order asked.
    async fn ties(&self, app: AppId, pairs: Vec<[UserId; 2]>) -> Stored<Vec<Tie>>;

    /// The friends of a user, whom the user blocks, or who waits for the user's answer, by name.
    async fn listed(&self, query: ListQuery) -> Stored<Vec<Listed>>;

    /// The end of a user's log, and the unread total at that place. `None` without an account.
    async fn inbox(&self, app: AppId, user: UserId) -> Stored<Option<Inbox>>;

    /// Unread messages of a user, peer by peer in the order asked.
    async fn unread(&self, app: AppId, user: UserId, peers: Vec<UserId>) -> Stored<Vec<u32>>;

    /// What happened to a user after a position, oldest first, at most `limit` records.
    async fn changes(&self, app: AppId, user: UserId, after: Position, limit: usize) -> Stored<Changes>;

    /// Events of a lane after an offset, oldest first, at most `limit`, all of them committed. None is passed over
    /// but those that were forgotten.
    async fn events(&self, lane: Lane, after: u64, limit: usize) -> Stored<Vec<Event>>;

    /// Where a lane's log begins and ends. `None` before its first event.
    async fn lane(&self, lane: Lane) -> Stored<Option<LaneExtent>>;

    /// How far the events of a lane have been told to an endpoint.
    async fn delivery(&self, route: &Route) -> Stored<DeliveryState>;

    /// Whose word on a route counts at present. A part of [`Self::delivery`] that costs little.
    async fn tenure(&self, route: &Route) -> Stored<Tenure>;

    /// Moves an endpoint's cursor and its exceptions, if the checkpoint builds on what is there; otherwise nothing is
    /// changed. The cursor never goes back.
    async fn settle(&self, route: &Route, checkpoint: Checkpoint) -> Stored<Kept>;

    /// The exceptions of an endpoint that stand parked, oldest first, after an offset, at most `limit`.
    async fn parked(&self, route: &Route, after: u64, limit: usize) -> Stored<Vec<Exception>>;

    /// What one event is an exception for, if it is one.
    async fn exception(&self, route: &Route, offset: u64) -> Stored<Option<Exception>>;

    /// The failed attempts at an event, oldest first.
    async fn failures(&self, route: &Route, offset: u64) -> Stored<Vec<FailedAttempt>>;

    /// When and how an event was last told, as far as a checkpoint kept that since a time.
    async fn delivered(&self, route: &Route, offset: u64, since_ms: u64) -> Stored<Option<Delivered>>;

    /// Makes an endpoint be told events again, and says how many; for [`Replay::From`] how many there are now.
    /// Checkpoints that build on what was there before are refused from now on, so the endpoint's dispatcher has to be
    /// restored. Nothing changes when there is nothing to tell again.
    async fn replay(&self, route: &Route, replay: Replay, now_ms: u64) -> Stored<u64>;

    /// Forgets events recorded before a time, as far as every one of `endpoints` is done with them, and what was kept
    /// of their attempts and deliveries.
    /// Returns how many were forgotten; called again until it is zero.
    async fn trim_events(&self, lane: Lane, endpoints: Vec<EndpointId>, before_ms: u64) -> Stored<usize>;

    /// Renews what a node holds of the lanes, carries out what it wants besides, and answers who holds what then.
    async fn lease(&self, ask: LeaseAsk) -> Stored<LeaseTable>;

    /// Into how many lanes an app's events are spread.
    fn lanes_per_app(&self) -> u16;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub user: UserId,
    /// What is written to the profile; the rest of it stays.
    pub profile: Vec<(String, ProfileValue)>,
    /// When the credential was issued, where it is a login that makes the account.
    pub issued_s: Option<u64>,
}

impl Account {
    pub fn bare(user: UserId) -> Self {
        Self { user, profile: Vec::new(), issued_s: None }
    }

    /// Of somebody who logs in for the first time.
    pub fn of_login(user: UserId, issued_s: u64) -> Self {
        Self { issued_s: Some(issued_s), ..Self::bare(user) }
    }

    /// Whether it comes to be, where credentials issued up to a time are worthless. A login that was under way while
    /// the account was deleted must not make it anew.
    pub fn may_begin(&self, revoked_s: u64) -> bool {
        self.issued_s.is_none_or(|issued_s| issued_s > revoked_s)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    Done(Box<Committed>),
    /// The same send was committed before; this is what it was answered.
    Duplicate(FirstSend),
    /// One of the two people, or an admin, is against it. Its event, unless the sender forbade it, is in the commit.
    Refused {
        refusal: Refusal,
        event: Option<EventId>,
    },
    UnknownAccount,
}

/// What a commit made true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    pub message: Arc<Message>,
    /// The recipient's new log entry; `None` for an online-only message.
    pub recipient: Option<Hint>,
    /// The sender's new log entry; `None` where the sender does not get the message, or is the recipient.
    pub sender: Option<Hint>,
    pub event: Option<EventId>,
}

/// Word of a new log entry, with everything a session needs to push it. May be lost on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    pub epoch: u64,
    pub record: LogRecord,
}

impl Hint {
    pub fn position(&self) -> Position {
        Position { epoch: self.epoch, offset: self.record.entry.offset }
    }
}

/// A log entry with the message it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    pub entry: LogEntry,
    /// `None` for entries that name no message, and for messages that are no longer there.
    pub message: Option<Arc<Message>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preview {
    Duplicate(FirstSend),
    /// The place the message gets unless another one overtakes it.
    Next(Place),
    /// One of the two people, or an admin, is against it.
    Refused(Refusal),
    UnknownAccount,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewChanged {
    Done(Told),
    /// The owner has no account, or for what begins with the change the peer has none.
    UnknownAccount,
    TooManyPinned,
}

/// A page of what a person keeps of others.
#[derive(Debug, Clone, Copy)]
pub struct ListQuery {
    pub app: AppId,
    pub user: UserId,
    pub list: TieList,
    /// Only those behind this name, whether it is on the list or not.
    pub after: Option<UserId>,
    /// Entries that are passed over.
    pub skip: usize,
    pub limit: usize,
}

/// Which entries of a person's ties are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TieList {
    Friends,
    Blocked,
    /// Those who want to be friends, and wait for the person's answer.
    Requests,
}

impl TieList {
    pub fn has(self, tie: &Tie) -> bool {
        match self {
            Self::Friends => tie.friend.is_some(),
            Self::Blocked => tie.blocked_s.is_some(),
            Self::Requests => tie.request.is_some(),
        }
    }
}

/// A question about a send whose answer was lost.
#[derive(Debug, Clone, Copy)]
pub struct SendQuery {
    pub app: AppId,
    pub from: UserId,
    pub to: UserId,
    pub random: u32,
    /// The sender's own sequence number, if it gave one.
    pub seq: Option<u32>,
    /// Nothing older is looked at.
    pub since_s: u64,
    /// Messages of the conversation that are looked at, the newest first.
    pub looks_max: usize,
}

impl SendQuery {
    /// Whether it asks for this message.
    pub fn means(&self, message: &Message) -> bool {
        let seq_fits = self.seq.is_none_or(|seq| seq == message.wire_seq);
        message.from == self.from && message.to == self.to && message.random == self.random && seq_fits
    }

    /// Whether it asks for the send that was refused so.
    pub fn means_refused(&self, fact: &AfterSend) -> bool {
        let seq_fits = self.seq.is_none_or(|seq| seq == fact.wire_seq);
        fact.from == self.from && fact.to == self.to && fact.random == self.random && seq_fits
    }
}

/// What became of a send, as far as can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landing {
    /// The newest that fits.
    Stored {
        key: MessageKey,
        client_time_s: u64,
    },
    /// Not stored, and its event is still in the log: the newest that fits.
    Refused {
        refusal: Refusal,
        event: EventId,
    },
    Unseen,
    /// Nothing that fits among as many messages as may be looked at, which are those of this time and after it.
    UnseenSince {
        time_s: u64,
    },
}

#[derive(Debug, Clone, Copy)]
pub struct MarkRead {
    pub app: AppId,
    pub reader: UserId,
    pub peer: UserId,
    /// Up to and including this time; `None` is all of it.
    pub until_s: Option<u64>,
    pub now_ms: u64,
    pub origin: Origin,
}

impl MarkRead {
    /// The time up to which only a part of the conversation is read; `None` when it is all of it.
    pub fn part(&self, conversation: &Conversation) -> Option<u64> {
        self.until_s.filter(|until_s| *until_s < conversation.time_s)
    }

    /// The event of the mark as committed.
    pub fn after_read(&self, place: Place, unread: u32) -> EventDraft {
        let Self { reader, peer, .. } = *self;
        let fact = Fact::AfterRead(AfterRead { reader, peer, last_read_s: place.time_s, unread });
        EventDraft::new(self.app, self.now_ms, self.origin, fact)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMark {
    pub reader: Hint,
    /// `None` in a conversation with oneself, or when the peer has no account any more.
    pub peer: Option<Hint>,
    pub event: EventId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// Without a gap, from the one after the position. Empty at the end of the log.
    Records(Vec<LogRecord>),
    /// The position is of another epoch, ahead of the log, or no longer kept. The device has to start anew at the
    /// given place.
    Resync(Inbox),
    UnknownAccount,
}

/// What there is of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneExtent {
    pub epoch: u64,
    /// Everything up to here was forgotten. Single events behind it may be gone as well.
    pub gone: u64,
    pub last: u64,
}

/// One lane's events on their way to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route {
    pub lane: Lane,
    pub endpoint: EndpointId,
}

/// An endpoint of an app, by the name its configuration gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId(pub Arc<str>);

/// Carries hints to sessions and workers. Whatever it loses is found again from a position.
pub trait Bus: Send + Sync + 'static {
    fn user_changed(&self, app: AppId, user: UserId, hint: Hint);

    /// A message that is stored nowhere: whoever is online now gets it.
    fn online_message(&self, app: AppId, user: UserId, message: Arc<Message>);

    fn event_recorded(&self, lane: Lane);

    /// Credentials of the user that were issued up to `revoked_s` are worthless now: sessions that rest on one end.
    fn revoked(&self, app: AppId, user: UserId, revoked_s: u64);
}

/// The app's backend, asked before something is carried out.
#[async_trait]
pub trait Gate: Send + Sync + 'static {
    /// About a send, or a device's edit.
    async fn ask(&self, question: Question<'_>) -> GateAnswer;

    /// About a friendship that a device wants, or answers.
    async fn ask_friend(&self, question: FriendQuestion<'_>) -> FriendAnswer;
}

/// A send as the app's backend is asked about it, or a message as it would be after an edit.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub app: AppId,
    pub from: UserId,
    pub to: UserId,
    pub wire_seq: u32,
    pub random: u32,
    pub time_s: u64,
    pub client_time_s: u64,
    pub online_only: bool,
    /// Who wants to edit a message that was sent; `None` when it is no edit.
    pub operator: Option<UserId>,
    /// A word list marked it.
    pub marked: bool,
    pub content: &'a Content,
    pub origin: Origin,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateAnswer {
    Pass,
    Replace(Content),
    /// The sender is told: `None` the general code, else the app's own code and text.
    Veto(Option<(u32, String)>),
    /// Success to the sender, and nothing else.
    Drop,
    /// No usable answer in time.
    Failed,
}

/// What `from` wants to do about a friendship with `to`, as the app's backend is asked about it.
#[derive(Debug, Clone, Copy)]
pub struct FriendQuestion<'a> {
    pub app: AppId,
    pub from: UserId,
    pub to: UserId,
    pub step: FriendStep<'a>,
    pub origin: Origin,
}

#[derive(Debug, Clone, Copy)]
pub enum FriendStep<'a> {
    Add {
        /// Both would get the other.
        mutual: bool,
        remark: &'a str,
        group: Option<&'a str>,
        source: &'a str,
        wording: &'a str,
    },
    /// The other has asked, and would be answered yes.
    Accept { mutual: bool, remark: &'a str },
    /// And here no.
    Refuse,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FriendAnswer {
    Pass,
    /// The device is told: `None` the general code, else the app's own code and text.
    Veto(Option<(u32, String)>),
    /// No usable answer in time.
    Failed,
}

/// The time, so that it can be simulated.
pub trait Clock: Send + Sync + 'static {
    /// Unix time in milliseconds.
    fn now_ms(&self) -> u64;
}
