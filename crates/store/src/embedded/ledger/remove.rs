//! The operations that forget: deleting accounts, and trimming events.
//!
//! They look for what to remove in the database itself, so the writer calls them when nothing is in flight, and lets
//! nothing follow them in their group.

use super::{Ledger, Sweep};
use crate::embedded::codec;
use crate::embedded::engine::Table;
use crate::embedded::operation::Trim;
use crate::embedded::{key, read};
use chat::model::TRIM_EVENTS_MAX;
use chat::port::{Route, Stored};
use chat::{AppId, ConversationId, UserId};
use rustc_hash::FxHashSet;

impl Ledger {
    pub(in crate::embedded) fn delete_accounts(&mut self, app: AppId, users: &[UserId]) -> Stored<Vec<bool>> {
        let mut existed = Vec::with_capacity(users.len());
        for user in users {
            let exists = self.exists(app, user)?;
            existed.push(exists);
            if exists {
                self.delete_account(app, user)?;
            }
        }
        Ok(existed)
    }

    fn delete_account(&mut self, app: AppId, user: &UserId) -> Stored<()> {
        self.delete_log(app, user)?;
        let prefix = key::account(app, user);
        let engine = std::sync::Arc::clone(&self.engine);
        let snapshot = engine.snapshot();
        for row in snapshot.scan(Table::Peers, prefix) {
            let (key, _) = row?;
            let peer = key::peer_of(&key, &prefix).map_err(|what| Table::Peers.corrupt(&key, what))?;
            self.clear_view(&ConversationId::new(app, *user, peer), user)?;
        }
        let account = self.account(app, user)?;
        account.exists = false;
        account.names = None;
        self.write_account(app, user);
        Ok(())
    }

    fn delete_log(&mut self, app: AppId, user: &UserId) -> Stored<()> {
        let epoch = self.account(app, user)?.inbox.epoch;
        let snapshot = self.engine.snapshot();
        for row in snapshot.scan(Table::Logs, key::log(app, user, epoch)) {
            self.group.remove(&self.engine, Table::Logs, &row?.0);
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
        let Some(mut conversation) = conversation else {
            return Err(
                Table::Peers.corrupt(key::conversation(id).as_ref(), "its conversation does not exist")
            );
        };
        let last = conversation.last();
        conversation.view(id.side(user)).clear(last);
        if cached.is_some() {
            self.change_conversation(id, conversation);
        } else {
            let mut value = Vec::new();
            codec::encode_conversation(&conversation, &mut value);
            self.group.set(Table::Conversations, key::conversation(id), Some(value));
        }
        Ok(())
    }

    pub(in crate::embedded) fn trim_events(&mut self, trim: Trim) -> Stored<usize> {
        let lane = trim.lane;
        let Some(mut end) = *self.lane(lane)? else {
            return Ok(0);
        };
        let mut sweep = match self.sweeps.remove(&lane) {
            Some(sweep) if sweep.trim == trim => sweep,
            _ => Sweep { trim, passed: end.row.gone, clean: true },
        };
        let (told_to, excepted) = self.told(&sweep)?;
        let engine = std::sync::Arc::clone(&self.engine);
        let snapshot = engine.snapshot();
        let mut count = 0;
        for row in snapshot.scan_from(Table::Events, key::lane(lane), key::event(lane, sweep.passed + 1)) {
            let (key, value) = row?;
            let corrupt = |what| Table::Events.corrupt(&key, what);
            let offset = key::offset_of(&key).map_err(corrupt)?;
            let recorded_ms = codec::recorded_ms(&value).map_err(corrupt)?;
            // The last event stays: it is what the next offset is counted from.
            if recorded_ms >= sweep.trim.before_ms || offset > told_to || offset >= end.last {
                break;
            }
            sweep.passed = offset;
            if excepted.contains(&offset) {
                sweep.clean = false;
                continue;
            }
            self.group.remove(&engine, Table::Events, &key);
            count += 1;
            if sweep.clean {
                end.row.gone = offset;
            }
            if count == TRIM_EVENTS_MAX {
                break;
            }
        }
        if count > 0 {
            self.group.set(Table::Lanes, key::lane(lane), Some(codec::encode_lane(end.row)));
            *self.lane(lane)? = Some(end);
            self.sweeps.insert(lane, sweep);
        }
        Ok(count)
    }

    /// How far all endpoints have been told, and what is an exception to any of them from there on.
    fn told(&mut self, sweep: &Sweep) -> Stored<(u64, FxHashSet<u64>)> {
        let mut told_to = u64::MAX;
        let mut excepted = FxHashSet::default();
        for endpoint in &sweep.trim.endpoints {
            let route = Route { lane: sweep.trim.lane, endpoint: endpoint.clone() };
            told_to = told_to.min(*self.cursor(&route)?);
            for exception in read::exceptions(&self.engine.snapshot(), &route, sweep.passed) {
                excepted.insert(exception?.offset);
            }
        }
        Ok((told_to, excepted))
    }
}
