//! Accounts, their logs, and what people keep of others.

use super::message::decoded_message;
use crate::codec::{self, AccountRow};
use crate::engine::{Snapshot, Table};
use crate::key;
use chat::conversation::{Change, Inbox, LogEntry, Place, Position};
use chat::person::{Listed, Portrait, Profile, PushToken, Tie};
use chat::port::{Changes, ListQuery, LogRecord, Stored};
use chat::{AppId, ConversationId, Message, UserId};
use std::sync::Arc;

pub(crate) fn account(snapshot: &Snapshot<'_>, app: AppId, user: &UserId) -> Stored<Option<AccountRow>> {
    let key = key::account(app, user);
    let Some(value) = snapshot.get(Table::Accounts, key)? else {
        return Ok(None);
    };
    codec::decode_account(&value).map(Some).map_err(|what| Table::Accounts.corrupt(key.as_ref(), what))
}

/// The epoch of an account; `None` when there is none.
fn epoch(snapshot: &Snapshot<'_>, app: AppId, user: &UserId) -> Stored<Option<u64>> {
    let key = key::account(app, user);
    let Some(value) = snapshot.get(Table::Accounts, key)? else {
        return Ok(None);
    };
    codec::account_epoch(&value).map_err(|what| Table::Accounts.corrupt(key.as_ref(), what))
}

pub(crate) fn account_exists(snapshot: &Snapshot<'_>, app: AppId, user: &UserId) -> Stored<bool> {
    epoch(snapshot, app, user).map(|epoch| epoch.is_some())
}

pub(crate) fn revoked_s(snapshot: &Snapshot<'_>, app: AppId, user: &UserId) -> Stored<u64> {
    account(snapshot, app, user).map(|row| row.map_or(0, |row| row.person.revoked_s))
}

fn profile(snapshot: &Snapshot<'_>, app: AppId, user: &UserId) -> Stored<Profile> {
    let key = key::account(app, user);
    let Some(value) = snapshot.get(Table::Profiles, key)? else {
        return Ok(Profile::default());
    };
    codec::decode_profile(&value).map_err(|what| Table::Profiles.corrupt(key.as_ref(), what))
}

fn tokens(snapshot: &Snapshot<'_>, app: AppId, user: &UserId) -> Stored<Vec<PushToken>> {
    let key = key::account(app, user);
    let Some(value) = snapshot.get(Table::PushTokens, key)? else {
        return Ok(Vec::new());
    };
    codec::decode_tokens(&value).map_err(|what| Table::PushTokens.corrupt(key.as_ref(), what))
}

pub(crate) fn people(snapshot: &Snapshot<'_>, app: AppId, users: &[UserId]) -> Stored<Vec<Option<Portrait>>> {
    let portrait = |user: &UserId| {
        let Some(row) = account(snapshot, app, user)?.filter(|row| row.exists) else {
            return Ok(None);
        };
        let (profile, tokens) = (profile(snapshot, app, user)?, tokens(snapshot, app, user)?);
        Ok(Some(Portrait { person: row.person, profile, tokens }))
    };
    for table in [Table::Accounts, Table::Profiles, Table::PushTokens] {
        snapshot.expect(table, users.iter().map(|user| key::account(app, user)))?;
    }
    users.iter().map(portrait).collect()
}

pub(crate) fn tie(snapshot: &Snapshot<'_>, app: AppId, user: &UserId, peer: &UserId) -> Stored<Tie> {
    let key = key::tie(app, user, peer);
    let Some(value) = snapshot.get(Table::Ties, key)? else {
        return Ok(Tie::default());
    };
    codec::decode_tie(&value).map_err(|what| Table::Ties.corrupt(key.as_ref(), what))
}

/// What a user keeps of others, by their names.
pub(crate) fn ties_of(
    snapshot: &Snapshot<'_>,
    app: AppId,
    user: &UserId,
) -> impl Iterator<Item = Stored<Listed>> {
    ties_from(snapshot, app, user, key::account(app, user))
}

fn ties_from(
    snapshot: &Snapshot<'_>,
    app: AppId,
    user: &UserId,
    from: key::Key,
) -> impl Iterator<Item = Stored<Listed>> {
    let prefix = key::account(app, user);
    snapshot.scan_from(Table::Ties, prefix, from).map(move |row| {
        let (key, value) = row?;
        let corrupt = |what| Table::Ties.corrupt(&key, what);
        let peer = key::tied_peer_of(&key, &prefix).map_err(corrupt)?;
        Ok(Listed { peer, tie: codec::decode_tie(&value).map_err(corrupt)? })
    })
}

pub(crate) fn listed(snapshot: &Snapshot<'_>, query: &ListQuery) -> Stored<Vec<Listed>> {
    let ListQuery { app, user, after, .. } = query;
    let from = after.map_or_else(|| key::account(*app, user), |after| key::tie(*app, user, &after));
    let is_meant = |listed: &Stored<Listed>| {
        listed.as_ref().map_or(true, |listed| query.list.has(&listed.tie) && Some(listed.peer) != *after)
    };
    let ties = ties_from(snapshot, *app, user, from);
    ties.filter(is_meant).skip(query.skip).take(query.limit).collect()
}

/// Where a log ends: its last entry carries the count that goes with that place.
pub(crate) fn inbox(snapshot: &Snapshot<'_>, app: AppId, user: &UserId, epoch: u64) -> Stored<Inbox> {
    let Some((key, value)) = snapshot.last(Table::Logs, key::log(app, user, epoch))? else {
        return Ok(Inbox::new(epoch));
    };
    let entry = log_entry(user, &key, &value)?;
    Ok(Inbox { epoch, offset: entry.offset, unread: entry.unread })
}

pub(crate) fn inbox_of(snapshot: &Snapshot<'_>, app: AppId, user: &UserId) -> Stored<Option<Inbox>> {
    epoch(snapshot, app, user)?.map(|epoch| inbox(snapshot, app, user, epoch)).transpose()
}

pub(crate) fn changes(
    snapshot: &Snapshot<'_>,
    (app, user): (AppId, &UserId),
    after: Position,
    limit: usize,
) -> Stored<Changes> {
    let Some(epoch) = epoch(snapshot, app, user)? else {
        return Ok(Changes::UnknownAccount);
    };
    let mut records = Vec::new();
    if after.epoch == epoch && after.offset < u64::MAX {
        let from = key::log_entry(app, user, epoch, after.offset + 1);
        let mut entries = Vec::new();
        for row in snapshot.scan_from(Table::Logs, key::log(app, user, epoch), from).take(limit) {
            let (key, value) = row?;
            entries.push(log_entry(user, &key, &value)?);
        }
        let keys = entries.iter().filter_map(|entry| message_key(app, user, &entry.change));
        snapshot.expect(Table::Messages, keys.map(|(_, _, key)| key))?;
        for entry in entries {
            records.push(LogRecord { entry, message: named_message(snapshot, app, user, &entry.change)? });
        }
    }
    if records.is_empty() {
        let inbox = inbox(snapshot, app, user, epoch)?;
        if after.epoch != epoch || after.offset > inbox.offset {
            return Ok(Changes::Resync(inbox));
        }
    }
    Ok(Changes::Records(records))
}

fn named_message(
    snapshot: &Snapshot<'_>,
    app: AppId,
    user: &UserId,
    change: &Change,
) -> Stored<Option<Arc<Message>>> {
    let Some((id, place, key)) = message_key(app, user, change) else { return Ok(None) };
    let value = snapshot.get(Table::Messages, key)?;
    value.map(|value| decoded_message(&id, place, &value).map(Arc::new)).transpose()
}

/// The message that a change names.
fn message_key(app: AppId, user: &UserId, change: &Change) -> Option<(ConversationId, Place, key::Key)> {
    let (peer, place) = match *change {
        Change::Message { peer, time_s, seq } | Change::Altered { peer, time_s, seq, .. } => {
            (peer, Place { time_s, seq })
        }
        Change::Read { .. } | Change::View { .. } | Change::Relation { .. } | Change::Profile => return None,
    };
    let id = ConversationId::new(app, *user, peer);
    Some((id, place, key::message(&id, place)))
}

fn log_entry(user: &UserId, key: &[u8], value: &[u8]) -> Stored<LogEntry> {
    key::offset_of(key)
        .and_then(|offset| codec::decode_log_entry(user, offset, value))
        .map_err(|what| Table::Logs.corrupt(key, what))
}
