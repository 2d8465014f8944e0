//! Deleting accounts.
//!
//! It looks for what to remove in the database itself, so the writer calls it when nothing is in flight, and lets
//! nothing follow it in its group.

use super::{Cause, Ledger};
use crate::codec;
use crate::engine::Table;
use crate::{key, read};
use chat::conversation::{Change, Conversation};
use chat::effect::Effects;
use chat::guard::SendKey;
use chat::port::Stored;
use chat::relate::sever;
use chat::{AppId, ConversationId, UserId};

impl Ledger {
    pub(crate) fn delete_accounts(&mut self, app: AppId, users: &[UserId], now_ms: u64) -> Stored<Vec<bool>> {
        let mut existed = Vec::with_capacity(users.len());
        for (at, user) in users.iter().enumerate() {
            let exists = self.exists(app, user)?;
            existed.push(exists);
            if exists {
                self.delete_account(app, user, &users[at + 1..], now_ms)?;
            }
        }
        Ok(existed)
    }

    fn delete_account(&mut self, app: AppId, user: &UserId, next: &[UserId], now_ms: u64) -> Stored<()> {
        self.leave_relations(app, user, next)?;
        self.delete_log(app, user)?;
        let profile = key::account(app, user);
        if self.row(Table::Profiles, profile)?.is_some() {
            self.set_row(Table::Profiles, profile, None);
        }
        self.delete_tokens(app, user)?;
        self.delete_notes(app, user)?;
        let account = self.account(app, user)?;
        account.exists = false;
        account.inbox = None;
        account.set_person(account.person().gone(now_ms));
        self.write_account(app, user);
        self.leave_conversations(app, user)
    }

    /// Takes the user out of the lists of others. Of those who are `next` to be deleted nothing has to be told: the log
    /// goes that it would be told in.
    fn leave_relations(&mut self, app: AppId, user: &UserId, next: &[UserId]) -> Stored<()> {
        let engine = self.engine.clone();
        let snapshot = engine.snapshot();
        for listed in read::ties_of(&snapshot, app, user) {
            let peer = listed?.peer;
            if self.tie(app, user, &peer)?.is_nothing() {
                // The peer was deleted just before.
                continue;
            }
            let mut kept = self.tie(app, &peer, user)?;
            self.set_row(Table::Ties, key::tie(app, user, &peer), None);
            self.set_row(Table::Ties, key::tie(app, &peer, user), None);
            let account = self.account(app, &peer)?;
            if !account.exists {
                continue;
            }
            let mut person = account.person();
            let mut effects = Effects::default();
            for how in sever(&mut person, &mut kept) {
                effects.enter(peer, Change::Relation { peer: *user, how }, 0);
            }
            self.set_person(app, &peer, person);
            if !next.contains(&peer) {
                self.prepare(app, &effects)?;
                self.publish(Cause::without_facts(app), effects, None);
            }
        }
        Ok(())
    }

    fn delete_log(&mut self, app: AppId, user: &UserId) -> Stored<()> {
        let epoch = self.account(app, user)?.epoch;
        let snapshot = self.engine.snapshot();
        for row in snapshot.scan(Table::Logs, key::log(app, user, epoch)) {
            self.group.remove(&self.engine, Table::Logs, &row?.0);
        }
        Ok(())
    }

    fn delete_notes(&mut self, app: AppId, user: &UserId) -> Stored<()> {
        let engine = self.engine.clone();
        for row in engine.snapshot().scan(Table::Notes, key::account(app, user)) {
            self.remove_row(Table::Notes, &row?.0);
        }
        Ok(())
    }

    fn leave_conversations(&mut self, app: AppId, user: &UserId) -> Stored<()> {
        let engine = self.engine.clone();
        let snapshot = engine.snapshot();
        for peer in read::peers(&snapshot, app, user) {
            let peer = peer?;
            let id = ConversationId::new(app, *user, peer);
            if self.exists(app, &peer)? {
                self.clear_view(&id, user)?;
            } else {
                // Nobody is left who could see it.
                self.delete_conversation(&id)?;
            }
        }
        Ok(())
    }

    /// A person may have more conversations than the cache holds, so those that are not in it are changed in the
    /// group alone.
    fn clear_view(&mut self, id: &ConversationId, user: &UserId) -> Stored<()> {
        let cached = self.conversations.touch(id, self.number).and_then(|pair| pair.conversation);
        let staged = self.group.staged(Table::Conversations, key::conversation(id));
        let conversation = match (cached, staged) {
            (Some(conversation), _) => Some(conversation),
            (None, Some(value)) => Some(read::decoded_conversation(id, value)?),
            (None, None) => read::conversation(&self.engine.snapshot(), id)?,
        };
        let mut conversation = conversation.ok_or_else(|| read::missing_conversation(id))?;
        let last = conversation.last();
        conversation.view(id.side(user)).leave(last);
        self.set_left(id, Some(conversation));
        Ok(())
    }

    fn delete_conversation(&mut self, id: &ConversationId) -> Stored<()> {
        let engine = self.engine.clone();
        let snapshot = engine.snapshot();
        for message in read::messages(&snapshot, id, u64::MAX) {
            let message = message?;
            self.guard.forget(&SendKey::of(id.app, &message));
            self.remove_row(Table::Messages, key::message(id, message.place()).as_ref());
        }
        for row in snapshot.scan(Table::Extensions, key::conversation(id)) {
            self.remove_row(Table::Extensions, &row?.0);
        }
        self.group.remove(&engine, Table::Peers, key::peer(id.app, &id.low, &id.high).as_ref());
        if id.low != id.high {
            self.group.remove(&engine, Table::Peers, key::peer(id.app, &id.high, &id.low).as_ref());
        }
        self.set_left(id, None);
        Ok(())
    }

    fn set_left(&mut self, id: &ConversationId, conversation: Option<Conversation>) {
        let is_cached = self.conversations.touch(id, self.number).is_some();
        if is_cached {
            self.set_conversation(id, conversation);
            return;
        }
        let value = conversation.map(|conversation| {
            let mut value = Vec::new();
            codec::encode_conversation(&conversation, &mut value);
            value
        });
        self.group.set(Table::Conversations, key::conversation(id), value);
    }
}
