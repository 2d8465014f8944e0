//! Conversations, as each of the two people has them.

use super::{Cause, LOOKS_MAX, Ledger};
use crate::codec;
use crate::engine::Table;
use crate::operation::{Counted, Looked};
use crate::{key, read};
use chat::contact::{ChangeView, Notes, change_view};
use chat::conversation::Change;
use chat::port::{Hint, MarkRead, ReadMark, Stored, ViewChanged};
use chat::send::lane_of;
use chat::{AppId, ConversationId, UserId};

impl Ledger {
    /// Whether a mark leaves some of the conversation unread, so that messages have to be counted in the database.
    pub(crate) fn reads_part(&mut self, mark: &MarkRead) -> Stored<bool> {
        let id = ConversationId::new(mark.app, mark.reader, mark.peer);
        let conversation = self.conversation(&id)?;
        Ok(conversation.is_some_and(|conversation| mark.part(&conversation).is_some()))
    }

    /// `counted`: the messages that stay unread, as somebody counted them who could take the time.
    pub(crate) fn mark_read(
        &mut self,
        mark: &MarkRead,
        counted: Option<&Counted>,
    ) -> Stored<Looked<Option<ReadMark>>> {
        let MarkRead { app, reader, peer, .. } = *mark;
        let id = ConversationId::new(app, reader, peer);
        if !self.exists(app, &reader)? {
            return Ok(Looked::Done(None));
        }
        let peer_exists = self.exists(app, &peer)?;
        for user in [&reader, &peer] {
            self.inbox(app, user)?;
        }
        let Some(mut conversation) = self.conversation(&id)? else {
            return Ok(Looked::Done(None));
        };
        let lane = lane_of(&id, self.engine.lanes_per_app());
        self.lane(lane)?;
        let side = id.side(&reader);
        let read = match mark.part(&conversation) {
            None => conversation.read(side),
            Some(until_s) => {
                let unread_behind = match counted {
                    Some(counted) => counted.in_view(&conversation, side),
                    None => {
                        let snapshot = self.engine.snapshot();
                        read::unread_behind(&snapshot, (&id, &reader), &conversation, until_s, LOOKS_MAX)?
                    }
                };
                let Some(unread_behind) = unread_behind else { return Ok(Looked::TooFar) };
                conversation.read_part(side, until_s, unread_behind)
            }
        };
        let Some(read) = read else {
            return Ok(Looked::Done(None));
        };

        self.change_conversation(&id, conversation);
        let change = Change::Read { reader, peer, time_s: read.place.time_s, seq: read.place.seq };
        let reader_hint = self.log_change(app, reader, change, -i64::from(read.count));
        let peer_hint = peer_exists.then(|| self.log_change(app, peer, change, 0));
        let draft = mark.after_read(read.place, reader_hint.record.entry.unread);
        let event = self.put_event(lane, &draft);
        Ok(Looked::Done(Some(ReadMark { reader: reader_hint, peer: peer_hint, event })))
    }

    /// Logs a change for someone who was looked up, and has an account.
    fn log_change(&mut self, app: AppId, user: UserId, change: Change, unread_by: i64) -> Hint {
        let account = self.accounts.touch(&(app, user), self.number);
        let mut inbox = account.and_then(|account| account.inbox).expect("it was looked up");
        inbox.count(unread_by);
        let entry = inbox.log(change);
        self.log((app, user), inbox, entry, None)
    }

    pub(crate) fn change_view(&mut self, wanted: &ChangeView) -> Stored<ViewChanged> {
        let ChangeView { app, owner, peer, .. } = *wanted;
        let id = wanted.conversation();
        let known = self.conversation(&id)?;
        let begins = wanted.begins() && known.is_none();
        if !self.exists(app, &owner)? || (begins && !self.exists(app, &peer)?) {
            return Ok(ViewChanged::UnknownAccount);
        }
        let mut conversation = known.unwrap_or_default();
        let mut person = self.account(app, &owner)?.person();
        let noted = if wanted.changes_notes() { self.notes(app, &owner, &peer)? } else { Notes::default() };
        let mut notes = noted.clone();
        let Ok(effects) = change_view(wanted, &mut person, &mut conversation, &mut notes) else {
            return Ok(ViewChanged::TooManyPinned);
        };
        self.prepare(app, &effects)?;

        if !effects.is_none() {
            self.change_conversation(&id, conversation);
            self.set_person(app, &owner, person);
        }
        if notes != noted {
            let value = (notes != Notes::default()).then(|| codec::encode_notes(&notes));
            self.set_row(Table::Notes, key::peer(app, &owner, &peer), value);
        }
        Ok(ViewChanged::Done(self.publish(Cause::without_facts(app), effects, None)))
    }

    fn notes(&mut self, app: AppId, owner: &UserId, peer: &UserId) -> Stored<Notes> {
        let key = key::peer(app, owner, peer);
        let Some(value) = self.row(Table::Notes, key)? else {
            return Ok(Notes::default());
        };
        codec::decode_notes(value).map_err(|what| Table::Notes.corrupt(key.as_ref(), what))
    }
}
