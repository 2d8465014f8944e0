//! What the operations make of the ledger.
//!
//! Each of them loads everything it needs before it changes anything: one that fails half-way leaves no trace.

use super::{Account, Ledger, Names, Sweep};
use crate::embedded::codec::{self, AccountRow, MARK};
use crate::embedded::engine::Table;
use crate::embedded::{LANES_PER_APP, key};
use chat::conversation::{Change, Inbox, Place};
use chat::dispatch::Exception;
use chat::guard::{FirstSend, SendKey};
use chat::port::{self, Append, Appended, Checkpoint, Committed, MarkRead, Preview, ReadMark, Route, Stored};
use chat::send::lane_of;
use chat::{AppId, ConversationId, EventDraft, EventId, UserId};
use std::sync::Arc;

impl Ledger {
    pub(in crate::embedded) fn append(&mut self, append: &Append) -> Stored<Appended> {
        let (app, from, to) = (append.app, append.from, append.to);
        let (id, now_s) = (append.conversation(), append.now_ms / 1000);
        let Some([sender, recipient]) = self.inboxes(app, [from, to])? else {
            return Ok(Appended::UnknownAccount);
        };
        let known = self.pair(&id, now_s)?.conversation;
        let lane = lane_of(&id, LANES_PER_APP);
        self.lane(lane)?;
        self.guard.expire(now_s);
        let key = append.key();
        if let Some(first) = self.guard.find(&key, now_s) {
            return Ok(Appended::Duplicate(first));
        }

        let mut conversation = known.unwrap_or_default();
        let inbox = |user| if user == to { recipient } else { sender };
        let outcome = chat::append::append(append, &mut conversation, inbox);
        let message = Arc::new(append.message(outcome.place));
        if !append.delivery.online_only {
            if known.is_none() {
                self.begin(&id);
            }
            self.change_conversation(&id, conversation);
            let place = Place { time_s: message.time_s, seq: message.seq };
            self.group.put(&self.engine, Table::Messages, key::message(&id, place), |value| {
                codec::encode_message(&message, value);
            });
        }
        let mut log = |user, (inbox, entry)| self.log((app, user), inbox, entry, Some(&message));
        let recipient = outcome.recipient.map(|entered| log(to, entered));
        let sender = outcome.sender.map(|entered| log(from, entered));
        self.guard.remember(&key, FirstSend::of(&message));
        let event = append.event.map(|origin| {
            let draft = append.after_send(&message, origin, outcome.recipient_unread);
            self.put_event(lane, &draft)
        });
        Ok(Appended::Done(Box::new(Committed { message, recipient, sender, event })))
    }

    pub(in crate::embedded) fn record(&mut self, draft: &EventDraft) -> Stored<Option<EventId>> {
        let ConversationId { app, low, high } = draft.conversation;
        if draft.needs_accounts() && self.inboxes(app, [low, high])?.is_none() {
            return Ok(None);
        }
        let lane = lane_of(&draft.conversation, LANES_PER_APP);
        self.lane(lane)?;
        Ok(Some(self.put_event(lane, draft)))
    }

    pub(in crate::embedded) fn preview(&mut self, key: &SendKey, now_s: u64) -> Stored<Preview> {
        if self.inboxes(key.app, [key.from, key.to])?.is_none() {
            return Ok(Preview::UnknownAccount);
        }
        let id = ConversationId::new(key.app, key.from, key.to);
        let conversation = self.pair(&id, now_s)?.conversation;
        if let Some(first) = self.guard.find(key, now_s) {
            return Ok(Preview::Duplicate(first));
        }
        Ok(Preview::Next(conversation.unwrap_or_default().next(now_s)))
    }

    pub(in crate::embedded) fn mark_read(&mut self, mark: &MarkRead) -> Stored<Option<ReadMark>> {
        let MarkRead { app, reader, peer, now_ms, .. } = *mark;
        let id = ConversationId::new(app, reader, peer);
        if !self.exists(app, &reader)? {
            return Ok(None);
        }
        let peer_exists = self.exists(app, &peer)?;
        let Some(mut conversation) = self.pair(&id, now_ms / 1000)?.conversation else {
            return Ok(None);
        };
        let lane = lane_of(&id, LANES_PER_APP);
        self.lane(lane)?;
        let Some(read) = conversation.read(id.side(&reader)) else {
            return Ok(None);
        };

        self.change_conversation(&id, conversation);
        let change = Change::Read { reader, peer, time_s: read.place.time_s, seq: read.place.seq };
        let reader_hint = self.log_change(app, reader, change, read.count)?;
        let peer_hint = peer_exists.then(|| self.log_change(app, peer, change, 0)).transpose()?;
        let draft = mark.after_read(read.place, reader_hint.record.entry.unread);
        let event = self.put_event(lane, &draft);
        Ok(Some(ReadMark { reader: reader_hint, peer: peer_hint, event }))
    }

    pub(in crate::embedded) fn import_accounts(
        &mut self,
        app: AppId,
        accounts: Vec<port::Account>,
        now_ms: u64,
    ) -> Stored<()> {
        for account in &accounts {
            self.account(app, &account.user)?;
        }
        for port::Account { user, nick, face_url } in accounts {
            let known = self.account(app, &user)?;
            let named = nick.is_some() || face_url.is_some();
            if known.exists && !named {
                continue;
            }
            if known.exists {
                let before = known.names.take().unwrap_or_default();
                let nick = nick.or_else(|| before.nick.clone());
                let face_url = face_url.or_else(|| before.face_url.clone());
                known.names = Some(Arc::new(Names { nick, face_url }));
            } else {
                let epoch = now_ms.max(known.inbox.epoch + 1);
                let names = named.then(|| Arc::new(Names { nick, face_url }));
                *known = Account { exists: true, inbox: Inbox::new(epoch), names };
            }
            self.write_account(app, &user);
        }
        Ok(())
    }

    pub(in crate::embedded) fn settle(&mut self, route: &Route, checkpoint: Checkpoint) -> Stored<()> {
        let Checkpoint { cursor, exceptions, resolved, delivered, failures } = checkpoint;
        let known = self.route(route)?;
        known.cursor = known.cursor.max(cursor);
        let mut row = *known;
        // What stood in the way of forgetting an event may be gone, or something came that is old already.
        let is_behind = |sweep: &Sweep| delivered.iter().any(|told| told.at_ms < sweep.trim.before_ms);
        if !resolved.is_empty() || self.sweeps.get(&route.lane).is_some_and(is_behind) {
            self.sweeps.remove(&route.lane);
        }
        for offset in resolved {
            self.group.set(Table::Exceptions, key::exception(route, offset), None);
        }
        for exception in exceptions {
            self.except(route, &exception);
        }
        for failed in failures {
            let value = codec::encode_failure(&failed.failure);
            self.group.set(Table::Failures, key::failure(route, &failed), Some(value));
        }
        for (last_ms, told) in codec::deliveries_rows(&delivered) {
            row.deliveries_last += 1;
            let key = key::deliveries(route, last_ms, row.deliveries_last);
            self.group.put(&self.engine, Table::Deliveries, key, |value| {
                codec::encode_deliveries(last_ms, told, value);
            });
        }
        self.set_route(route, row)
    }

    pub(super) fn except(&mut self, route: &Route, exception: &Exception) {
        let value = codec::encode_exception(exception);
        self.group.set(Table::Exceptions, key::exception(route, exception.offset), Some(value));
    }

    /// The inboxes of two people; `None` unless both have an account.
    fn inboxes(&mut self, app: AppId, users: [UserId; 2]) -> Stored<Option<[Inbox; 2]>> {
        let mut inboxes = [Inbox::new(0); 2];
        for (user, inbox) in users.iter().zip(&mut inboxes) {
            let account = self.account(app, user)?;
            if !account.exists {
                return Ok(None);
            }
            *inbox = account.inbox;
        }
        Ok(Some(inboxes))
    }

    /// Files a conversation under both its people, so that it is found when one of them leaves. Happens once.
    fn begin(&mut self, id: &ConversationId) {
        let mut file = |user, peer| {
            let key = key::peer(id.app, user, peer);
            self.group.put(&self.engine, Table::Peers, key, |value| value.extend_from_slice(MARK));
        };
        file(&id.low, &id.high);
        if id.low != id.high {
            file(&id.high, &id.low);
        }
    }

    /// Logs a change after which `user` has `read_count` fewer unread messages.
    fn log_change(
        &mut self,
        app: AppId,
        user: UserId,
        change: Change,
        read_count: u32,
    ) -> Stored<port::Hint> {
        let mut inbox = self.account(app, &user)?.inbox;
        inbox.unread -= read_count;
        let entry = inbox.log(change);
        Ok(self.log((app, user), inbox, entry, None))
    }

    pub(super) fn write_account(&mut self, app: AppId, user: &UserId) {
        let account = self
            .accounts
            .touch(&(app, *user), self.number)
            .expect("only an account that was read is written");
        let names = account.names.as_deref();
        let row = AccountRow {
            exists: account.exists,
            epoch: account.inbox.epoch,
            nick: names.and_then(|names| names.nick.clone()),
            face_url: names.and_then(|names| names.face_url.clone()),
        };
        self.group.set(Table::Accounts, key::account(app, user), Some(codec::encode_account(&row)));
    }
}
