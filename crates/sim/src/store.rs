//! The model store with a bad connection: it is unavailable now and then, or commits without saying so.
//!
//! Operations within a request also take virtual time around their commit, so that requests overtake one another
//! and a node can die on either side of it. Everything else answers at once.

use crate::Sabotage;
use crate::ledger::Ledger;
use crate::stage::Stage;
use async_trait::async_trait;
use chat::dispatch::{Delivered, Exception, FailedAttempt, Replay};
use chat::guard::SendKey;
use chat::model::Model;
use chat::port::{
    Account, Append, Appended, Changes, Checkpoint, Committed, DeliveryState, EndpointId, HistoryPage,
    HistoryQuery, LaneExtent, MarkRead, Preview, ReadMark, Route, Store, StoreError, Stored,
};
use chat::{AppId, Event, EventDraft, EventId, Inbox, Lane, Position, UserId};
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
            if slow { state.chance.between(1..=1_500) } else { 0 }
        };
        self.stage.sleep(delay_ms).await;
    }

    fn noted(&self, note: impl FnOnce(&mut Ledger)) {
        note(&mut self.stage.lock().ledger);
    }

    fn note_append(&self, append: &Append, committed: &Committed) {
        let state = &mut *self.stage.lock();
        state.ledger.appended(append, committed);
        state.counts.marked += u64::from(committed.message.delivery.marked);
        state.counts.masked += u64::from(committed.message.body.contains(&b'*'));
    }

    /// The event of a message in a commit of its own: whoever dies in between loses it.
    async fn append_then_record(&self, append: Append) -> Stored<Appended> {
        let answer = self.model.append(Append { event: None, ..append.clone() }).await?;
        if let Appended::Done(committed) = &answer {
            self.note_append(&append, committed);
            self.stage.sleep(500).await;
            if let Some(origin) = append.event {
                self.model.record(append.after_send(&committed.message, origin, 0)).await?;
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
        self.model.import_accounts(app, accounts, now_ms).await?;
        self.hear(())
    }

    async fn accounts_exist(&self, app: AppId, users: Vec<UserId>) -> Stored<Vec<bool>> {
        self.reach()?;
        self.model.accounts_exist(app, users).await
    }

    async fn delete_accounts(&self, app: AppId, users: Vec<UserId>, now_ms: u64) -> Stored<Vec<bool>> {
        self.reach()?;
        let existed = self.model.delete_accounts(app, users.clone(), now_ms).await?;
        let gone = users.iter().zip(&existed).filter(|(_, existed)| **existed);
        self.noted(|ledger| gone.for_each(|(user, _)| ledger.deleted(app, *user)));
        self.hear(existed)
    }

    async fn append(&self, mut append: Append) -> Stored<Appended> {
        self.linger().await;
        self.reach()?;
        if self.is(Sabotage::NoDuplicateGuard) {
            // No two appends look alike any more.
            append.content_crc = self.stage.lock().chance.draw() as u32;
        }
        if self.is(Sabotage::EventAfterCommit) {
            return self.append_then_record(append).await;
        }
        let answer = self.model.append(append.clone()).await?;
        if let Appended::Done(committed) = &answer {
            self.note_append(&append, committed);
        }
        self.linger().await;
        self.hear(answer)
    }

    async fn record(&self, draft: EventDraft) -> Stored<Option<EventId>> {
        self.linger().await;
        self.reach()?;
        let event = self.model.record(draft).await?;
        self.linger().await;
        self.hear(event)
    }

    async fn preview(&self, mut key: SendKey, now_s: u64) -> Stored<Preview> {
        self.linger().await;
        self.reach()?;
        if self.is(Sabotage::NoDuplicateGuard) {
            key.content_crc = self.stage.lock().chance.draw() as u32;
        }
        self.model.preview(key, now_s).await
    }

    async fn mark_read(&self, mark: MarkRead) -> Stored<Option<ReadMark>> {
        self.linger().await;
        self.reach()?;
        let read = self.model.mark_read(mark).await?;
        if let Some(read) = &read {
            self.noted(|ledger| ledger.marked_read(mark.app, [mark.reader, mark.peer], read));
        }
        self.linger().await;
        self.hear(read)
    }

    async fn history(&self, query: HistoryQuery) -> Stored<HistoryPage> {
        self.reach()?;
        self.model.history(query).await
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
        self.model.events(lane, after, limit).await
    }

    async fn lane(&self, lane: Lane) -> Stored<Option<LaneExtent>> {
        self.reach()?;
        self.model.lane(lane).await
    }

    async fn delivery(&self, route: &Route) -> Stored<DeliveryState> {
        self.reach()?;
        self.model.delivery(route).await
    }

    async fn settle(&self, route: &Route, mut checkpoint: Checkpoint) -> Stored<()> {
        self.reach()?;
        if self.is(Sabotage::CursorAhead) {
            checkpoint.cursor += 1;
        }
        self.model.settle(route, checkpoint).await?;
        self.hear(())
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

    fn lanes_per_app(&self) -> u16 {
        self.model.lanes_per_app()
    }
}
