//! One random operation, and what it was answered.

use crate::world::{APP, LANE, endpoint_id, logout, refusal, route, user};
use chat::dispatch::Replay;
use chat::guard::SendKey;
use chat::lease::LeaseAsk;
use chat::port::{
    Account, Alter, Append, ChangePerson, ChangeView, Checkpoint, ContactsQuery, HistoryQuery, ImportMessage,
    ListQuery, MarkRead, MessageKey, Relate, SendQuery, Store, Terms,
};
use chat::{ConversationId, Position};

pub(crate) const NAMES: [&str; 5] = ["a", "ab", "b", "bo", "用户"];
pub(crate) const ENDPOINTS: [&str; 2] = ["one", "one more"];

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Append(Append),
    ImportMessages(Vec<ImportMessage>),
    Alter(Alter),
    Find { conversation: ConversationId, key: MessageKey },
    Landed(SendQuery),
    MarkRead(MarkRead),
    ChangeView(ChangeView),
    Contacts(ContactsQuery),
    ContactsWith { owner: &'static str, peers: Vec<&'static str> },
    ChangePerson(ChangePerson),
    Relate(Relate),
    Listed(ListQuery),
    Refuse { from: &'static str, to: &'static str, now_s: u64 },
    Logout { name: &'static str, now_s: u64 },
    Preview { key: SendKey, terms: Terms, now_s: u64 },
    Import { accounts: Vec<Account>, now_s: u64 },
    Delete { names: Vec<&'static str>, now_s: u64 },
    Settle { endpoint: &'static str, checkpoint: Checkpoint },
    Replay { endpoint: &'static str, replay: Replay, now_ms: u64 },
    Exception { endpoint: &'static str, offset: u64 },
    Failures { endpoint: &'static str, offset: u64 },
    Delivered { endpoint: &'static str, offset: u64, since_ms: u64 },
    Lane,
    Trim { endpoints: Vec<&'static str>, before_ms: u64 },
    Lease(LeaseAsk),
    History(HistoryQuery),
    Changes { name: &'static str, after: Position, limit: usize },
    Events { after: u64, limit: usize },
    Reopen { flushed: bool },
}

impl Step {
    /// The answer in words, so that the answers to all operations compare alike.
    pub(crate) async fn carry_out(&self, store: &dyn Store) -> String {
        match self.clone() {
            Self::Append(append) => format!("{:?}", store.append(append).await),
            Self::ImportMessages(imports) => format!("{:?}", store.import_messages(imports).await),
            Self::Alter(alter) => format!("{:?}", store.alter(alter).await),
            Self::Find { conversation, key } => format!("{:?}", store.find(conversation, key).await),
            Self::Landed(query) => format!("{:?}", store.landed(query).await),
            Self::MarkRead(mark) => format!("{:?}", store.mark_read(mark).await),
            Self::ChangeView(change) => format!("{:?}", store.change_view(change).await),
            Self::Contacts(query) => format!("{:?}", store.contacts(query).await),
            Self::ChangePerson(change) => format!("{:?}", store.change_person(change).await),
            Self::Relate(relate) => format!("{:?}", store.relate(relate).await),
            Self::Listed(query) => format!("{:?}", store.listed(query).await),
            Self::Refuse { from, to, now_s } => {
                format!("{:?}", store.record(refusal(from, to, now_s)).await)
            }
            Self::Logout { name, now_s } => format!("{:?}", store.record(logout(name, now_s)).await),
            Self::Preview { key, terms, now_s } => format!("{:?}", store.preview(key, terms, now_s).await),
            Self::Import { accounts, now_s } => {
                format!("{:?}", store.import_accounts(APP, accounts, now_s * 1000).await)
            }
            Self::Delete { names, now_s } => {
                let users = names.into_iter().map(user).collect();
                format!("{:?}", store.delete_accounts(APP, users, now_s * 1000).await)
            }
            told => told.look_after(store).await,
        }
    }

    /// The same for what concerns events, and for questions.
    async fn look_after(self, store: &dyn Store) -> String {
        match self {
            Self::Settle { endpoint, checkpoint } => {
                format!("{:?}", store.settle(&route(endpoint), checkpoint).await)
            }
            Self::Replay { endpoint, replay, now_ms } => {
                format!("{:?}", store.replay(&route(endpoint), replay, now_ms).await)
            }
            Self::Exception { endpoint, offset } => {
                format!("{:?}", store.exception(&route(endpoint), offset).await)
            }
            Self::Failures { endpoint, offset } => {
                format!("{:?}", store.failures(&route(endpoint), offset).await)
            }
            Self::Delivered { endpoint, offset, since_ms } => {
                format!("{:?}", store.delivered(&route(endpoint), offset, since_ms).await)
            }
            Self::Lease(ask) => format!("{:?}", store.lease(ask).await),
            Self::Lane => format!("{:?}", store.lane(LANE).await),
            Self::Trim { endpoints, before_ms } => {
                let endpoints = endpoints.into_iter().map(endpoint_id).collect();
                format!("{:?}", store.trim_events(LANE, endpoints, before_ms).await)
            }
            Self::ContactsWith { owner, peers } => {
                let peers = peers.into_iter().map(user).collect();
                format!("{:?}", store.contacts_with(APP, user(owner), peers).await)
            }
            Self::History(query) => format!("{:?}", store.history(query).await),
            Self::Changes { name, after, limit } => {
                format!("{:?}", store.changes(APP, user(name), after, limit).await)
            }
            Self::Events { after, limit } => format!("{:?}", store.events(LANE, after, limit).await),
            other => {
                assert!(matches!(other, Self::Reopen { .. }), "{other:?} is carried out nowhere");
                String::new()
            }
        }
    }
}
