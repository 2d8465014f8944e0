//! What callers hand to the writer, and how they are answered.

use chat::conversation::{Conversation, Place};
use chat::guard::SendKey;
use chat::id::Side;
use chat::port::{
    Account, Alter, Altered, Append, Appended, ChangePerson, ChangeView, Checkpoint, EndpointId,
    ImportMessage, Imported, Kept, LeaseAsk, LeaseTable, MarkRead, PersonChanged, Preview, ReadMark, Relate,
    Related, Replay, Route, StoreError, Stored, Terms, ViewChanged,
};
use chat::{AppId, EventDraft, EventId, Lane, UserId};
use std::sync::Arc;
use tokio::sync::oneshot;

pub(super) type Reply<T> = oneshot::Sender<Stored<T>>;

/// An operation that has to see all earlier ones. Large ones are boxed, since they move through queues.
pub(super) enum Operation {
    ImportAccounts { app: AppId, accounts: Vec<Account>, now_ms: u64, reply: Reply<()> },
    DeleteAccounts { app: AppId, users: Vec<UserId>, now_ms: u64, reply: Reply<Vec<bool>> },
    Append { append: Box<Append>, reply: Reply<Appended> },
    ImportMessages { imports: Vec<ImportMessage>, reply: Reply<Vec<Imported>> },
    Alter { alter: Arc<Alter>, place: Option<Place>, reply: Reply<Looked<Altered>> },
    Record { draft: Box<EventDraft>, reply: Reply<Option<EventId>> },
    Preview { key: Box<SendKey>, terms: Terms, now_s: u64, reply: Reply<Preview> },
    MarkRead { mark: Box<MarkRead>, counted: Option<Counted>, reply: Reply<Looked<Option<ReadMark>>> },
    ChangeView { change: Box<ChangeView>, reply: Reply<ViewChanged> },
    ChangePerson { change: Box<ChangePerson>, reply: Reply<PersonChanged> },
    Relate { relate: Box<Relate>, reply: Reply<Related> },
    Settle { route: Route, checkpoint: Box<Checkpoint>, reply: Reply<Kept> },
    Replay { route: Route, replay: Replay, now_ms: u64, reply: Reply<u64> },
    TrimEvents { trim: Trim, reply: Reply<usize> },
    Lease { ask: Box<LeaseAsk>, reply: Reply<LeaseTable> },
}

impl Operation {
    /// The apps that it looks at and changes.
    pub(super) fn apps(&self) -> Vec<AppId> {
        match self {
            Self::ImportMessages { imports, .. } => {
                let mut apps: Vec<AppId> = imports.iter().map(|import| import.app).collect();
                apps.dedup();
                apps
            }
            Self::ImportAccounts { app, .. } | Self::DeleteAccounts { app, .. } => vec![*app],
            Self::Append { append, .. } => vec![append.app],
            Self::Alter { alter, .. } => vec![alter.app],
            Self::Record { draft, .. } => vec![draft.conversation.app],
            Self::Preview { key, .. } => vec![key.app],
            Self::MarkRead { mark, .. } => vec![mark.app],
            Self::ChangeView { change, .. } => vec![change.app],
            Self::ChangePerson { change, .. } => vec![change.app],
            Self::Relate { relate, .. } => vec![relate.app],
            Self::Settle { route, .. } | Self::Replay { route, .. } => vec![route.lane.app],
            Self::TrimEvents { trim, .. } => vec![trim.lane.app],
            Self::Lease { .. } => vec![chat::lease::APP],
        }
    }

    /// Tells the caller that it was not carried out.
    pub(super) fn refuse(self, error: &StoreError) {
        fn tell<T>(reply: Reply<T>, error: &StoreError) {
            // A caller that has gone away need not be told.
            drop(reply.send(Err(error.clone())));
        }
        match self {
            Self::ImportAccounts { reply, .. } => tell(reply, error),
            Self::DeleteAccounts { reply, .. } => tell(reply, error),
            Self::Append { reply, .. } => tell(reply, error),
            Self::ImportMessages { reply, .. } => tell(reply, error),
            Self::Alter { reply, .. } => tell(reply, error),
            Self::Record { reply, .. } => tell(reply, error),
            Self::Preview { reply, .. } => tell(reply, error),
            Self::MarkRead { reply, .. } => tell(reply, error),
            Self::ChangeView { reply, .. } => tell(reply, error),
            Self::ChangePerson { reply, .. } => tell(reply, error),
            Self::Relate { reply, .. } => tell(reply, error),
            Self::Settle { reply, .. } => tell(reply, error),
            Self::Replay { reply, .. } => tell(reply, error),
            Self::TrimEvents { reply, .. } => tell(reply, error),
            Self::Lease { reply, .. } => tell(reply, error),
        }
    }
}

/// Which events to forget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trim {
    pub(super) lane: Lane,
    pub(super) endpoints: Vec<EndpointId>,
    pub(super) before_ms: u64,
}

/// An answer that waits for the commit of its group. Answers to questions wait too: what they say may rest on a
/// commit that is still under way.
pub(super) enum Answer {
    Nothing(Told<()>),
    Existed(Told<Vec<bool>>),
    Appended(Told<Appended>),
    Imported(Told<Vec<Imported>>),
    Altered(Told<Looked<Altered>>),
    Event(Told<Option<EventId>>),
    Preview(Told<Preview>),
    Read(Told<Looked<Option<ReadMark>>>),
    View(Told<ViewChanged>),
    Person(Told<PersonChanged>),
    Related(Told<Related>),
    Kept(Told<Kept>),
    Replayed(Told<u64>),
    Count(Told<usize>),
    Leases(Told<LeaseTable>),
}

impl Answer {
    /// Tells the caller, unless the commit failed: then it is told of that.
    pub(super) fn give(self, commit: &Stored<()>) {
        match self {
            Self::Nothing(told) => told.give(commit),
            Self::Existed(told) => told.give(commit),
            Self::Appended(told) => told.give(commit),
            Self::Imported(told) => told.give(commit),
            Self::Altered(told) => told.give(commit),
            Self::Event(told) => told.give(commit),
            Self::Preview(told) => told.give(commit),
            Self::Read(told) => told.give(commit),
            Self::View(told) => told.give(commit),
            Self::Person(told) => told.give(commit),
            Self::Related(told) => told.give(commit),
            Self::Kept(told) => told.give(commit),
            Self::Replayed(told) => told.give(commit),
            Self::Count(told) => told.give(commit),
            Self::Leases(told) => told.give(commit),
        }
    }
}

/// What an operation came to that looks for something in the database.
pub(super) enum Looked<T> {
    Done(T),
    /// More rows would have to be looked at than the writer may while everybody waits. Whoever asked has to look beside
    /// it, and ask again with what was found.
    TooFar,
}

/// Unread messages as they were counted at a snapshot.
pub(super) struct Counted {
    pub(super) conversation: Conversation,
    pub(super) behind: u32,
}

impl Counted {
    /// The count, if it is still that of the conversation. Whatever changes what is unread on a side changes its view,
    /// or the number of messages.
    pub(super) fn in_view(&self, conversation: &Conversation, side: Side) -> Option<u32> {
        let state = |of: &Conversation| (of.seq, of.sides[side as usize]);
        (state(conversation) == state(&self.conversation)).then_some(self.behind)
    }
}

pub(super) struct Told<T> {
    pub(super) reply: Reply<T>,
    pub(super) result: Stored<T>,
}

impl<T> Told<T> {
    fn give(self, commit: &Stored<()>) {
        let result = match commit {
            Ok(()) => self.result,
            Err(error) => Err(error.clone()),
        };
        // A caller that has gone away need not be told.
        drop(self.reply.send(result));
    }
}

pub(super) fn stopped() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}
