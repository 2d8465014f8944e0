//! The operations of the port: changes into the queue, reads to the engine.

use super::engine::Table;
use super::opened::{Looks, Opened};
use super::operation::{Counted, Looked, Operation, Trim};
use super::{key, read};
use async_trait::async_trait;
use bytes::Bytes;
use chat::alter::{Act, Extend, NotAltered};
use chat::contact::{ChangeView, ContactsPage, ContactsQuery, ViewAct};
use chat::conversation::{Inbox, Position};
use chat::dispatch::{Delivered, Exception, FailedAttempt, Replay};
use chat::event::ProfileValue;
use chat::guard::SendKey;
use chat::message::MessageKey;
use chat::person::{ChangePerson, Listed, PersonChange, PersonChanged, Portrait, Tie};
use chat::port::{
    Account, Alter, Altered, Append, Appended, Changes, Checkpoint, DeliveryState, EndpointId, Found,
    HistoryPage, HistoryQuery, ImportMessage, Imported, Kept, Landing, LaneExtent, LeaseAsk, LeaseTable,
    ListQuery, MarkRead, Preview, ReadMark, Route, SendQuery, Store, StoreError, Stored, Tenure, Terms,
    ViewChanged,
};
use chat::relate::{Approach, Relate, Related};
use chat::{AppId, ConversationId, Event, EventDraft, EventId, Lane, UserId};
use std::sync::Arc;

/// How often unread messages are counted for one mark, when others change what is counted meanwhile.
const COUNTS_MAX: usize = 8;

#[async_trait]
impl<E: Send + Sync + 'static> Store for Opened<E> {
    async fn import_accounts(&self, app: AppId, accounts: Vec<Account>, now_ms: u64) -> Stored<()> {
        let weight = |account: &Account| size_of::<Account>() + values_bytes(&account.profile);
        let bytes = accounts.iter().map(weight).sum();
        self.queue.ask(bytes, |reply| Operation::ImportAccounts { app, accounts, now_ms, reply }).await
    }

    async fn accounts_exist(&self, app: AppId, users: Vec<UserId>) -> Stored<Vec<bool>> {
        self.read_with(Looks::One, move |snapshot| {
            snapshot.expect(Table::Accounts, users.iter().map(|user| key::account(app, user)))?;
            users.iter().map(|user| read::account_exists(snapshot, app, user)).collect()
        })
        .await
    }

    async fn delete_accounts(&self, app: AppId, users: Vec<UserId>, now_ms: u64) -> Stored<Vec<bool>> {
        let bytes = users.len() * size_of::<UserId>();
        self.queue.ask(bytes, |reply| Operation::DeleteAccounts { app, users, now_ms, reply }).await
    }

    async fn append(&self, append: Append) -> Stored<Appended> {
        let bytes = append.body.len() + append.custom_data.len() + append.offline_push.len();
        self.queue.ask(bytes, |reply| Operation::Append { append: Box::new(append), reply }).await
    }

    async fn record(&self, draft: EventDraft) -> Stored<Option<EventId>> {
        let [one, other] = draft.fact.people();
        assert!(
            ConversationId::new(draft.conversation.app, one, other) == draft.conversation,
            "an event is about the people of its conversation"
        );
        let bytes = draft.fact.content_bytes();
        self.queue.ask(bytes, |reply| Operation::Record { draft: Box::new(draft), reply }).await
    }

    async fn preview(&self, key: SendKey, terms: Terms, now_s: u64) -> Stored<Preview> {
        self.queue.ask(0, |reply| Operation::Preview { key: Box::new(key), terms, now_s, reply }).await
    }

    async fn mark_read(&self, mark: MarkRead) -> Stored<Option<ReadMark>> {
        let mut counted = None;
        for _ in 0..COUNTS_MAX {
            let ask = |reply| Operation::MarkRead { mark: Box::new(mark), counted, reply };
            if let Looked::Done(read) = self.queue.ask(0, ask).await? {
                return Ok(read);
            }
            counted = self.count(mark).await?;
        }
        Err(StoreError::Unavailable("a conversation changes faster than it is counted".to_owned()))
    }

    async fn history(&self, query: HistoryQuery) -> Stored<HistoryPage> {
        self.read(move |snapshot| read::history(snapshot, &query)).await
    }

    async fn import_messages(&self, imports: Vec<ImportMessage>) -> Stored<Vec<Imported>> {
        let weight = |import: &ImportMessage| {
            size_of::<ImportMessage>() + import.body.len() + import.custom_data.len()
        };
        let bytes = imports.iter().map(weight).sum();
        self.queue.ask(bytes, |reply| Operation::ImportMessages { imports, reply }).await
    }

    async fn alter(&self, alter: Alter) -> Stored<Altered> {
        let bytes = match &alter.act {
            Act::Edit { body, custom_data, .. } => {
                [body, custom_data].into_iter().flatten().map(Bytes::len).sum()
            }
            Act::Extend(Extend::Set(pairs)) => {
                pairs.iter().map(|(pair, value)| pair.key.len() + value.len()).sum()
            }
            Act::Extend(Extend::Delete(pairs)) => pairs.iter().map(|pair| pair.key.len()).sum(),
            Act::Extend(Extend::Clear) | Act::Recall | Act::Confirm | Act::Delete => 0,
        };
        let alter = Arc::new(alter);
        let ask = |place| {
            let alter = Arc::clone(&alter);
            self.queue.ask(bytes, move |reply| Operation::Alter { alter, place, reply })
        };
        if let Looked::Done(altered) = ask(None).await? {
            return Ok(altered);
        }
        let wanted = Arc::clone(&alter);
        let place = self.read(move |snapshot| read::place_meant(snapshot, &wanted, usize::MAX)).await?;
        if place.is_none() {
            return Ok(Altered::Refused(NotAltered::NotFound));
        }
        match ask(place).await? {
            Looked::Done(altered) => Ok(altered),
            Looked::TooFar => unreachable!("the writer has not to look for a message whose place is known"),
        }
    }

    async fn find(&self, conversation: ConversationId, key: MessageKey) -> Stored<Option<Found>> {
        self.read(move |snapshot| read::find(snapshot, &conversation, key)).await
    }

    async fn find_for(
        &self,
        conversation: ConversationId,
        viewer: UserId,
        key: MessageKey,
    ) -> Stored<Option<Found>> {
        self.read(move |snapshot| read::find_for(snapshot, &conversation, &viewer, key)).await
    }

    async fn landed(&self, query: SendQuery) -> Stored<Landing> {
        self.read(move |snapshot| read::landed(snapshot, &query)).await
    }

    async fn change_view(&self, change: ChangeView) -> Stored<ViewChanged> {
        let bytes = match &change.act {
            ViewAct::Note(note) => note.custom.as_ref().map_or(0, String::len),
            ViewAct::Remove | ViewAct::Erase | ViewAct::Clear | ViewAct::Pin | ViewAct::Unpin => 0,
        };
        self.queue.ask(bytes, |reply| Operation::ChangeView { change: Box::new(change), reply }).await
    }

    async fn contacts(&self, query: ContactsQuery) -> Stored<Option<ContactsPage>> {
        self.read(move |snapshot| read::contacts(snapshot, &query)).await
    }

    async fn contacts_with(
        &self,
        app: AppId,
        owner: UserId,
        peers: Vec<UserId>,
    ) -> Stored<Option<ContactsPage>> {
        self.read(move |snapshot| read::contacts_with(snapshot, app, &owner, &peers)).await
    }

    async fn change_person(&self, change: ChangePerson) -> Stored<PersonChanged> {
        let bytes = match &change.change {
            PersonChange::Profile { items, .. } => values_bytes(items),
            PersonChange::AddGroups { names, .. } | PersonChange::RemoveGroups { names } => {
                names.iter().map(String::len).sum()
            }
            PersonChange::RenameGroup { name, to } => name.len() + to.len(),
            PersonChange::SetToken(token) => token.device.len() + token.token.len(),
            PersonChange::DropToken { device, .. } => device.len(),
            PersonChange::Mute { .. } | PersonChange::Revoke | PersonChange::Reach { .. } => 0,
        };
        self.queue.ask(bytes, |reply| Operation::ChangePerson { change: Box::new(change), reply }).await
    }

    async fn people(&self, app: AppId, users: Vec<UserId>) -> Stored<Vec<Option<Portrait>>> {
        self.read(move |snapshot| read::people(snapshot, app, &users)).await
    }

    async fn revoked_s(&self, app: AppId, user: UserId) -> Stored<u64> {
        self.read_with(Looks::One, move |snapshot| read::revoked_s(snapshot, app, &user)).await
    }

    async fn relate(&self, relate: Relate) -> Stored<Related> {
        // What else an approach holds is a few short texts.
        let bytes = match &relate.act {
            Approach::Import { entry, .. } => {
                entry.custom.iter().map(|(tag, value)| tag.len() + value_bytes(value)).sum()
            }
            Approach::Note { custom, .. } => values_bytes(custom),
            Approach::Befriend { .. }
            | Approach::Unfriend { .. }
            | Approach::Accept { .. }
            | Approach::Refuse
            | Approach::Block
            | Approach::Unblock => 0,
        };
        self.queue.ask(bytes, |reply| Operation::Relate { relate: Box::new(relate), reply }).await
    }

    async fn ties(&self, app: AppId, pairs: Vec<[UserId; 2]>) -> Stored<Vec<Tie>> {
        self.read_with(Looks::One, move |snapshot| {
            snapshot.expect(Table::Ties, pairs.iter().map(|[user, peer]| key::tie(app, user, peer)))?;
            pairs.iter().map(|[user, peer]| read::tie(snapshot, app, user, peer)).collect()
        })
        .await
    }

    async fn listed(&self, query: ListQuery) -> Stored<Vec<Listed>> {
        self.read(move |snapshot| read::listed(snapshot, &query)).await
    }

    async fn inbox(&self, app: AppId, user: UserId) -> Stored<Option<Inbox>> {
        self.read(move |snapshot| read::inbox_of(snapshot, app, &user)).await
    }

    async fn unread(&self, app: AppId, user: UserId, peers: Vec<UserId>) -> Stored<Vec<u32>> {
        self.read_with(Looks::One, move |snapshot| {
            let id = |peer: &UserId| ConversationId::new(app, user, *peer);
            snapshot.expect(Table::Conversations, peers.iter().map(|peer| key::conversation(&id(peer))))?;
            peers.into_iter().map(|peer| read::unread(snapshot, app, &user, peer)).collect()
        })
        .await
    }

    async fn changes(&self, app: AppId, user: UserId, after: Position, limit: usize) -> Stored<Changes> {
        self.read(move |snapshot| read::changes(snapshot, (app, &user), after, limit)).await
    }

    async fn events(&self, lane: Lane, after: u64, limit: usize) -> Stored<Vec<Event>> {
        self.read(move |snapshot| read::events(snapshot, lane, after, limit)).await
    }

    async fn lane(&self, lane: Lane) -> Stored<Option<LaneExtent>> {
        self.read(move |snapshot| read::lane_extent(snapshot, lane)).await
    }

    async fn delivery(&self, route: &Route) -> Stored<DeliveryState> {
        let route = route.clone();
        self.read(move |snapshot| read::delivery(snapshot, &route)).await
    }

    async fn tenure(&self, route: &Route) -> Stored<Tenure> {
        let route = route.clone();
        self.read_with(Looks::One, move |snapshot| Ok(read::route(snapshot, &route)?.tenure)).await
    }

    async fn settle(&self, route: &Route, checkpoint: Checkpoint) -> Stored<Kept> {
        let words = checkpoint.exceptions.iter().map(|exception| exception.last_failure.len()).sum::<usize>();
        let text = |failed: &FailedAttempt| failed.failure.words.len() + failed.failure.answer.len();
        let bytes = words
            + checkpoint.failures.iter().map(text).sum::<usize>()
            + checkpoint.failures.len() * size_of::<FailedAttempt>()
            + checkpoint.delivered.len() * size_of::<Delivered>()
            + checkpoint.exceptions.len() * size_of::<Exception>()
            + checkpoint.resolved.len() * size_of::<u64>();
        let (route, checkpoint) = (route.clone(), Box::new(checkpoint));
        self.queue.ask(bytes, |reply| Operation::Settle { route, checkpoint, reply }).await
    }

    async fn parked(&self, route: &Route, after: u64, limit: usize) -> Stored<Vec<Exception>> {
        let route = route.clone();
        self.read(move |snapshot| read::parked(snapshot, &route, after, limit)).await
    }

    async fn exception(&self, route: &Route, offset: u64) -> Stored<Option<Exception>> {
        let route = route.clone();
        self.read_with(Looks::One, move |snapshot| read::exception(snapshot, &route, offset)).await
    }

    async fn failures(&self, route: &Route, offset: u64) -> Stored<Vec<FailedAttempt>> {
        let route = route.clone();
        self.read(move |snapshot| read::failures(snapshot, &route, offset)).await
    }

    async fn delivered(&self, route: &Route, offset: u64, since_ms: u64) -> Stored<Option<Delivered>> {
        let route = route.clone();
        self.read(move |snapshot| read::delivered(snapshot, &route, offset, since_ms)).await
    }

    async fn replay(&self, route: &Route, replay: Replay, now_ms: u64) -> Stored<u64> {
        let from_here = matches!(replay, Replay::From { .. });
        let count = self
            .queue
            .ask(0, |reply| Operation::Replay { route: route.clone(), replay, now_ms, reply })
            .await?;
        if !from_here {
            return Ok(count);
        }
        // Counted beside the writer: a long log would keep every sender waiting.
        let route = route.clone();
        self.read(move |snapshot| {
            let cursor = read::route(snapshot, &route)?.cursor;
            read::events_behind(snapshot, route.lane, cursor)
        })
        .await
    }

    async fn trim_events(&self, lane: Lane, endpoints: Vec<EndpointId>, before_ms: u64) -> Stored<usize> {
        let trim = Trim { lane, endpoints, before_ms };
        self.queue.ask(0, |reply| Operation::TrimEvents { trim, reply }).await
    }

    async fn lease(&self, ask: LeaseAsk) -> Stored<LeaseTable> {
        self.queue.ask(0, |reply| Operation::Lease { ask: Box::new(ask), reply }).await
    }

    fn lanes_per_app(&self) -> u16 {
        self.lanes()
    }
}

impl<E> Opened<E> {
    /// Counts what a mark of a part leaves unread, beside the writer.
    pub(super) async fn count(&self, mark: MarkRead) -> Stored<Option<Counted>> {
        self.read(move |snapshot| {
            let id = ConversationId::new(mark.app, mark.reader, mark.peer);
            let Some(conversation) = read::conversation(snapshot, &id)? else { return Ok(None) };
            let Some(until_s) = mark.part(&conversation) else { return Ok(None) };
            let behind =
                read::unread_behind(snapshot, (&id, &mark.reader), &conversation, until_s, usize::MAX)?;
            Ok(behind.map(|behind| Counted { conversation, behind }))
        })
        .await
    }
}

fn values_bytes(values: &[(String, ProfileValue)]) -> usize {
    values.iter().map(|(tag, value)| tag.len() + value_bytes(value)).sum()
}

fn value_bytes(value: &ProfileValue) -> usize {
    match value {
        ProfileValue::Number(_) => size_of::<u32>(),
        ProfileValue::Text(text) => text.len(),
    }
}
