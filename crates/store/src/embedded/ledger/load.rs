//! What the ledger reads when it meets something for the first time, or again after having forgotten it.

use super::{Account, LaneEnd, Names, Pair};
use crate::embedded::codec::{self, AccountRow};
use crate::embedded::engine::{Snapshot, Table};
use crate::embedded::{key, read};
use chat::guard::{DUPLICATE_WINDOW_SECS, DuplicateGuard, FirstSend, SendKey};
use chat::port::Stored;
use chat::{AppId, ConversationId, Inbox, Lane, UserId};
use std::sync::Arc;

pub(super) fn account(snapshot: &Snapshot<'_>, app: AppId, user: &UserId) -> Stored<Account> {
    let key = key::account(app, user);
    let Some(value) = snapshot.get(Table::Accounts, key)? else {
        return Ok(Account { exists: false, inbox: Inbox::new(0), names: None });
    };
    let row = codec::decode_account(&value).map_err(|what| Table::Accounts.corrupt(key.as_ref(), what))?;
    let AccountRow { exists, epoch, nick, face_url } = row;
    let inbox = if exists { read::inbox(snapshot, app, user, epoch)? } else { Inbox::new(epoch) };
    let named = nick.is_some() || face_url.is_some();
    Ok(Account { exists, inbox, names: named.then(|| Arc::new(Names { nick, face_url })) })
}

/// The conversation; the guard learns its sends as far as they still matter at `now_s`.
pub(super) fn pair(
    snapshot: &Snapshot<'_>,
    id: &ConversationId,
    now_s: u64,
    guard: &mut DuplicateGuard,
) -> Stored<Pair> {
    let matters = |time_s: u64| time_s.saturating_add(DUPLICATE_WINDOW_SECS) > now_s;
    let conversation = read::conversation(snapshot, id)?;
    if conversation.is_some_and(|conversation| matters(conversation.time_s)) {
        for message in read::messages(snapshot, id, u64::MAX) {
            let message = message?;
            if !matters(message.time_s) {
                break;
            }
            guard.remember(&SendKey::of(id.app, &message), FirstSend::of(&message));
        }
    }
    Ok(Pair { conversation, changed_in: 0 })
}

/// Where a lane ends; `None` before its first event.
pub(super) fn lane(snapshot: &Snapshot<'_>, lane: Lane) -> Stored<Option<LaneEnd>> {
    let Some(row) = read::lane(snapshot, lane)? else {
        return Ok(None);
    };
    let prefix = key::lane(lane);
    let (key, _) = snapshot
        .last(Table::Events, prefix)?
        .ok_or_else(|| Table::Events.corrupt(prefix.as_ref(), "a lane has lost its last event"))?;
    let last = key::offset_of(&key).map_err(|what| Table::Events.corrupt(&key, what))?;
    Ok(Some(LaneEnd { row, last }))
}
