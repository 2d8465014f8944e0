//! What the ledger reads when it meets something for the first time, or again after having forgotten it.

use super::{Account, LaneEnd, Pair};
use crate::engine::{Snapshot, Table};
use crate::{key, read};
use chat::conversation::Conversation;
use chat::guard::{DUPLICATE_WINDOW_SECS, DuplicateGuard, FirstSend, SendKey};
use chat::port::Stored;
use chat::{AppId, ConversationId, Lane, UserId};

pub(super) fn account(snapshot: &Snapshot<'_>, app: AppId, user: &UserId) -> Stored<Account> {
    let Some(row) = read::account(snapshot, app, user)? else {
        return Ok(Account { exists: false, epoch: 0, inbox: None, person: None });
    };
    let mut account = Account { exists: row.exists, epoch: row.epoch, inbox: None, person: None };
    account.set_person(row.person);
    Ok(account)
}

pub(super) fn pair(snapshot: &Snapshot<'_>, id: &ConversationId) -> Stored<Pair> {
    Ok(Pair { conversation: read::conversation(snapshot, id)?, changed_in: 0, guarded: false })
}

/// Lets the guard learn the sends of a conversation as far as they still matter at `now_s`.
pub(super) fn guard(
    snapshot: &Snapshot<'_>,
    id: &ConversationId,
    conversation: &Conversation,
    now_s: u64,
    guard: &mut DuplicateGuard,
) -> Stored<()> {
    let matters = |time_s: u64| time_s.saturating_add(DUPLICATE_WINDOW_SECS) > now_s;
    if !matters(conversation.time_s) {
        return Ok(());
    }
    for message in read::recent_messages(snapshot, id, now_s) {
        let message = message?;
        // What was put into the history was never sent.
        if !message.delivery.imported {
            guard.remember(&SendKey::of(id.app, &message), FirstSend::of(&message));
        }
    }
    Ok(())
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
