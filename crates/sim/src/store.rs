//! The model store with a bad connection: it is unavailable now and then, or commits without saying so.
//!
//! Operations within a request also take virtual time around their commit, so that requests overtake one another
//! and a node can die on either side of it. Everything else answers at once.

mod sabotaged;

use crate::ledger::Ledger;
use crate::report::Checked;
use crate::sabotage::Sabotage;
use crate::stage::Stage;
use async_trait::async_trait;
use chat::alter::Act;
use chat::dispatch::{Delivered, Exception, FailedAttempt, Replay};
use chat::guard::SendKey;
use chat::model::Model;
use chat::port::{
    Account, Alter, Altered, Append, Appended, ChangePerson, ChangeView, Changes, Checkpoint, ContactsPage,
    ContactsQuery, DeliveryState, EndpointId, Found, HistoryPage, HistoryQuery, ImportMessage, Imported,
    Kept, Landing, LaneExtent, LeaseAsk, LeaseTable, ListQuery, Listed, MarkRead, MessageKey, PersonChanged,
    Portrait, Preview, ReadMark, Relate, Related, Route, SendQuery, Store, StoreError, Stored, Tenure, Terms,
    Tie, ViewChanged,
};
use chat::{AppId, ConversationId, Event, EventDraft, EventId, Inbox, Lane, Position, UserId};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

#[derive(Debug)]
pub(crate) struct FaultyStore {
    pub(crate) model: Arc<Model>,
    pub(crate) stage: Arc<Stage>,
    pub(crate) sabotage: Option<Sabotage>,
}

/// Runs an operation that takes no virtual time.
pub(crate) fn at_once<T>(operation: impl Future<Output = T>) -> T {
    let mut operation = std::pin::pin!(operation);
    match operation.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("only operations within a request take virtual time"),
    }
}

impl FaultyStore {
    /// A connection that may be down.
    fn reach(&self) -> Stored<()> {
        let mut state = self.stage.lock();
        let out = state.now_ms < state.store_back_ms;
        if !out && !state.strikes(|faults| faults.store_unavailable) {
            return Ok(());
        }
        state.counts.store_unavailable += 1;
        Err(StoreError::Unavailable("before the commit".to_owned()))
    }

    /// An answer that may not come through, although the commit stands.
    fn hear<T>(&self, answer: T) -> Stored<T> {
        let mut state = self.stage.lock();
        if !state.strikes(|faults| faults.commit_unanswered) {
            return Ok(answer);
        }
        state.counts.commits_unanswered += 1;
        Err(StoreError::Unavailable("after the commit".to_owned()))
    }

    async fn linger(&self) {
        let delay_ms = {
            let mut state = self.stage.lock();
            let slow = state.strikes(|faults| faults.commit_slow);
            state.counts.commits_slow += u64::from(slow);
            // Now and then so slow that whoever waits asks once more before anything is committed.
            let slowest_ms = if state.chance.hits(100) { 9_000 } else { 1_500 };
            if slow { state.chance.between(1..=slowest_ms) } else { 0 }
        };
        self.stage.sleep(delay_ms).await;
    }

    /// An operation within a request.
    async fn commit<T>(&self, operation: impl Future<Output = Stored<T>>) -> Stored<T> {
        self.linger().await;
        self.reach()?;
        let answer = operation.await?;
        self.linger().await;
        self.hear(answer)
    }

    /// Writes an answer into the ledger, and whether the running request changed something.
    fn noted(&self, is_change: bool, note: impl FnOnce(&mut Ledger) -> Checked) {
        let mut state = self.stage.lock();
        if is_change {
            state.committed(note);
        } else {
            state.noted(note);
        }
    }

    /// Makes accounts exist, whatever the connection does.
    pub(crate) async fn settle_in(&self, app: AppId, accounts: Vec<Account>, now_ms: u64) -> Stored<()> {
        let users: Vec<UserId> = accounts.iter().map(|account| account.user).collect();
        self.model.import_accounts(app, accounts, now_ms).await?;
        for user in users {
            let inbox = self.model.inbox(app, user).await?.expect("the account exists now");
            self.noted(false, |ledger| ledger.arrived(app, user, inbox.epoch));
        }
        Ok(())
    }

    /// The log of a lane as it truly is.
    pub(crate) fn committed_events(&self, lane: Lane, after: u64, limit: usize) -> Vec<Event> {
        let mut events =
            at_once(self.model.events(lane, after, usize::MAX)).expect("the model is always there");
        let withheld = &self.stage.lock().withheld;
        events.retain(|event| !withheld.contains(&event.id));
        events.truncate(limit);
        events
    }

    async fn append_now(&self, append: Append) -> Stored<Appended> {
        let answer = self.model.append(append.clone()).await?;
        self.note_append(&append, &answer);
        Ok(answer)
    }

    fn note_append(&self, append: &Append, answer: &Appended) {
        let is_change = matches!(answer, Appended::Done(_) | Appended::Refused { .. });
        self.noted(is_change, |ledger| ledger.appended(append, answer));
        if let Appended::Done(committed) = answer {
            let counts = &mut self.stage.lock().counts;
            counts.marked += u64::from(committed.message.delivery.marked);
            counts.masked += u64::from(committed.message.body.contains(&b'*'));
            counts.hidden_from_recipient += u64::from(committed.message.delivery.hidden_from_recipient);
        }
    }

    async fn alter_now(&self, alter: Alter) -> Stored<Altered> {
        let mut answer = self.model.alter(alter.clone()).await?;
        self.noted(matches!(answer, Altered::Done { .. }), |ledger| ledger.altered(&alter, &answer));
        if let Altered::Done { told, .. } = &mut answer {
            if self.is(Sabotage::EditEventAfterCommit) && matches!(alter.act, Act::Edit { .. }) {
                self.record_later(told.events[0]).await?;
            }
            if self.is(Sabotage::RecallKeepsUnread) && alter.act == Act::Recall {
                told.hints.iter_mut().for_each(|(_, hint)| hint.record.entry.unread += 1);
            }
        }
        Ok(answer)
    }

    fn is(&self, sabotage: Sabotage) -> bool {
        self.sabotage == Some(sabotage)
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn import_accounts(&self, app: AppId, accounts: Vec<Account>, now_ms: u64) -> Stored<()> {
        self.reach()?;
        self.settle_in(app, accounts, now_ms).await?;
        self.hear(())
    }

    async fn accounts_exist(&self, app: AppId, users: Vec<UserId>) -> Stored<Vec<bool>> {
        self.reach()?;
        self.model.accounts_exist(app, users).await
    }

    async fn delete_accounts(&self, app: AppId, users: Vec<UserId>, now_ms: u64) -> Stored<Vec<bool>> {
        let delete = async {
            let existed = self.model.delete_accounts(app, users.clone(), now_ms).await?;
            for (user, existed) in users.iter().zip(&existed) {
                self.noted(*existed, |ledger| ledger.left(app, *user, now_ms, *existed));
            }
            Ok(existed)
        };
        self.commit(delete).await
    }

    async fn append(&self, mut append: Append) -> Stored<Appended> {
        if self.is(Sabotage::NoDuplicateGuard) {
            // No two appends look alike any more.
            append.content_crc = self.stage.lock().chance.draw() as u32;
        }
        match self.sabotage {
            Some(Sabotage::EventAfterCommit) => self.commit(self.append_then_record(append)).await,
            Some(Sabotage::TermsBeforeCommit) => self.commit(self.look_then_append(append)).await,
            _ => self.commit(self.append_now(append)).await,
        }
    }

    async fn import_messages(&self, mut imports: Vec<ImportMessage>) -> Stored<Vec<Imported>> {
        if self.is(Sabotage::NoImportGuard) {
            let chance = &mut self.stage.lock().chance;
            imports.iter_mut().for_each(|import| import.random = chance.draw() as u32);
        }
        let commit = async {
            let answers = self.model.import_messages(imports.clone()).await?;
            for (import, answer) in imports.iter().zip(&answers) {
                self.noted(matches!(answer, Imported::Done(_)), |ledger| ledger.imported(import, answer));
            }
            Ok(answers)
        };
        self.commit(commit).await
    }

    async fn alter(&self, alter: Alter) -> Stored<Altered> {
        self.commit(self.alter_now(alter)).await
    }

    async fn record(&self, draft: EventDraft) -> Stored<Option<EventId>> {
        let commit = async {
            let event = self.model.record(draft.clone()).await?;
            self.noted(event.is_some(), |ledger| ledger.recorded(&draft, event));
            Ok(event)
        };
        self.commit(commit).await
    }

    async fn preview(&self, mut key: SendKey, terms: Terms, now_s: u64) -> Stored<Preview> {
        self.linger().await;
        self.reach()?;
        if self.is(Sabotage::NoDuplicateGuard) {
            key.content_crc = self.stage.lock().chance.draw() as u32;
        }
        let answer = self.model.preview(key, terms, now_s).await?;
        self.noted(false, |ledger| ledger.previewed(&key, terms, now_s * 1000, &answer));
        Ok(answer)
    }

    async fn mark_read(&self, mark: MarkRead) -> Stored<Option<ReadMark>> {
        let commit = async {
            let until_s = mark.until_s.filter(|_| !self.is(Sabotage::WholeMarks));
            let read = self.model.mark_read(MarkRead { until_s, ..mark }).await?;
            self.noted(read.is_some(), |ledger| ledger.marked_read(&mark, read.as_ref()));
            Ok(read)
        };
        self.commit(commit).await
    }

    async fn change_view(&self, change: ChangeView) -> Stored<ViewChanged> {
        let commit = async {
            let answer = self.model.change_view(change.clone()).await?;
            let is_change = matches!(answer, ViewChanged::Done(_));
            self.noted(is_change, |ledger| ledger.view_changed(&change, &answer));
            Ok(answer)
        };
        self.commit(commit).await
    }

    async fn change_person(&self, change: ChangePerson) -> Stored<PersonChanged> {
        let commit = async {
            let answer = self.model.change_person(change.clone()).await?;
            let is_change = matches!(answer, PersonChanged::Done(_));
            self.noted(is_change, |ledger| ledger.person_changed(&change, &answer));
            Ok(answer)
        };
        self.commit(commit).await
    }

    async fn relate(&self, relate: Relate) -> Stored<Related> {
        let commit = async {
            let answer = self.model.relate(relate.clone()).await?;
            let is_change = matches!(answer, Related::Done(_) | Related::Pending(_));
            self.noted(is_change, |ledger| ledger.related(&relate, &answer));
            Ok(answer)
        };
        self.commit(commit).await
    }

    async fn find(&self, conversation: ConversationId, key: MessageKey) -> Stored<Option<Found>> {
        self.reach()?;
        self.model.find(conversation, key).await
    }

    async fn find_for(
        &self,
        conversation: ConversationId,
        viewer: UserId,
        key: MessageKey,
    ) -> Stored<Option<Found>> {
        self.reach()?;
        self.model.find_for(conversation, viewer, key).await
    }

    async fn landed(&self, query: SendQuery) -> Stored<Landing> {
        self.reach()?;
        self.model.landed(query).await
    }

    async fn history(&self, query: HistoryQuery) -> Stored<HistoryPage> {
        self.reach()?;
        self.model.history(query).await
    }

    async fn contacts(&self, query: ContactsQuery) -> Stored<Option<ContactsPage>> {
        self.reach()?;
        self.model.contacts(query).await
    }

    async fn contacts_with(
        &self,
        app: AppId,
        owner: UserId,
        peers: Vec<UserId>,
    ) -> Stored<Option<ContactsPage>> {
        self.reach()?;
        self.model.contacts_with(app, owner, peers).await
    }

    async fn people(&self, app: AppId, users: Vec<UserId>) -> Stored<Vec<Option<Portrait>>> {
        self.reach()?;
        self.model.people(app, users).await
    }

    async fn revoked_s(&self, app: AppId, user: UserId) -> Stored<u64> {
        self.reach()?;
        self.model.revoked_s(app, user).await
    }

    async fn ties(&self, app: AppId, pairs: Vec<[UserId; 2]>) -> Stored<Vec<Tie>> {
        self.reach()?;
        self.model.ties(app, pairs).await
    }

    async fn listed(&self, query: ListQuery) -> Stored<Vec<Listed>> {
        self.reach()?;
        self.model.listed(query).await
    }

    async fn inbox(&self, app: AppId, user: UserId) -> Stored<Option<Inbox>> {
        self.reach()?;
        self.model.inbox(app, user).await
    }

    async fn unread(&self, app: AppId, user: UserId, peers: Vec<UserId>) -> Stored<Vec<u32>> {
        self.reach()?;
        self.model.unread(app, user, peers).await
    }

    async fn changes(&self, app: AppId, user: UserId, after: Position, limit: usize) -> Stored<Changes> {
        self.reach()?;
        self.model.changes(app, user, after, limit).await
    }

    async fn events(&self, lane: Lane, after: u64, limit: usize) -> Stored<Vec<Event>> {
        self.reach()?;
        Ok(self.committed_events(lane, after, limit))
    }

    async fn lane(&self, lane: Lane) -> Stored<Option<LaneExtent>> {
        self.reach()?;
        self.model.lane(lane).await
    }

    async fn delivery(&self, route: &Route) -> Stored<DeliveryState> {
        self.reach()?;
        self.model.delivery(route).await
    }

    async fn tenure(&self, route: &Route) -> Stored<Tenure> {
        self.reach()?;
        self.model.tenure(route).await
    }

    async fn settle(&self, route: &Route, mut checkpoint: Checkpoint) -> Stored<Kept> {
        self.reach()?;
        if self.is(Sabotage::CursorAhead) {
            checkpoint.cursor += 1;
        }
        let kept = self.model.settle(route, checkpoint).await?;
        self.hear(kept)
    }

    async fn parked(&self, route: &Route, after: u64, limit: usize) -> Stored<Vec<Exception>> {
        self.reach()?;
        self.model.parked(route, after, limit).await
    }

    async fn exception(&self, route: &Route, offset: u64) -> Stored<Option<Exception>> {
        self.reach()?;
        self.model.exception(route, offset).await
    }

    async fn failures(&self, route: &Route, offset: u64) -> Stored<Vec<FailedAttempt>> {
        self.reach()?;
        self.model.failures(route, offset).await
    }

    async fn delivered(&self, route: &Route, offset: u64, since_ms: u64) -> Stored<Option<Delivered>> {
        self.reach()?;
        self.model.delivered(route, offset, since_ms).await
    }

    async fn replay(&self, route: &Route, replay: Replay, now_ms: u64) -> Stored<u64> {
        self.reach()?;
        let count = self.model.replay(route, replay, now_ms).await?;
        self.hear(count)
    }

    async fn trim_events(&self, lane: Lane, endpoints: Vec<EndpointId>, before_ms: u64) -> Stored<usize> {
        self.reach()?;
        self.model.trim_events(lane, endpoints, before_ms).await
    }

    async fn lease(&self, ask: LeaseAsk) -> Stored<LeaseTable> {
        self.reach()?;
        let table = self.model.lease(ask).await?;
        self.hear(table)
    }

    fn lanes_per_app(&self) -> u16 {
        self.model.lanes_per_app()
    }
}
