//! What people do to their own view of a conversation: they read it, take it out of their list, and pin it.

use super::talk::Seen;
use super::{Ledger, News, Talk};
use crate::report::{Checked, holds};
use chat::contact::{Notes, ViewAct};
use chat::conversation::{Notify, ViewChange};
use chat::event::AfterRead;
use chat::port::{ChangeView, MarkRead, ReadMark, ViewChanged};
use chat::{AppId, Change, ConversationId, Fact, Message, UserId};
use std::sync::Arc;

/// What its owner can tell of a view.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sight {
    unread: u32,
    head: Option<(u64, u64)>,
    pinned_ms: u64,
    notify: Notify,
    notes: Notes,
    shown: Vec<Message>,
}

impl Ledger {
    pub(crate) fn marked_read(&mut self, mark: &MarkRead, answer: Option<&ReadMark>) -> Checked {
        let MarkRead { app, reader, peer, until_s, .. } = *mark;
        let id = ConversationId::new(app, reader, peer);
        let has_account = self.people.has(app, reader);
        let Some(talk) = self.talk_mut(&id).filter(|_| has_account) else {
            return holds(answer.is_none(), "marks_change_something", || {
                format!("{reader} has nothing to read, and {mark:?} came to {answer:?}")
            });
        };
        let (before, newest_s) = (talk.unread(&reader), talk.newest_s());
        let part_s = until_s.filter(|until_s| *until_s < newest_s);
        talk.read(&reader, |message| part_s.is_none_or(|until_s| message.time_s <= until_s));
        let was_something_read = talk.unread(&reader) < before;
        holds(was_something_read == answer.is_some(), "marks_change_something", || {
            format!("{before} messages were unread to {reader}, and {mark:?} came to {answer:?}")
        })?;
        let Some(read) = answer else { return Ok(()) };
        let seen = talk.side_mut(&reader);
        seen.read_s = seen.read_s.max(part_s.unwrap_or(0));
        let time_s = part_s.unwrap_or(newest_s);
        seen.read_until_s = seen.read_until_s.max(time_s);
        let Change::Read { seq, .. } = read.reader.record.entry.change else {
            return holds(false, "logs_are_whole", || format!("{mark:?} was logged as {read:?}"));
        };
        let (len, is_read) = (talk.len(), is_read_up_to(talk, &reader, seq));
        let change = Change::Read { reader, peer, time_s, seq };
        self.enter((app, reader), change, None, Some(&read.reader))?;
        holds(is_read && (part_s.is_some() || seq == len), "logs_are_whole", || {
            format!("{reader} has not read all of {read:?}")
        })?;
        let peer_exists = self.people.has(app, peer);
        holds(peer_exists == read.peer.is_some(), "logs_are_whole", || format!("{peer} is told {read:?}"))?;
        if peer_exists {
            self.enter((app, peer), change, None, read.peer.as_ref())?;
        }
        let unread = self.unread(app, reader);
        self.due.recorded += 1;
        self.promise(app, Fact::AfterRead(AfterRead { reader, peer, last_read_s: time_s, unread }));
        Ok(())
    }

    pub(crate) fn view_changed(&mut self, wanted: &ChangeView, answer: &ViewChanged) -> Checked {
        let ChangeView { app, owner, peer, pinned_len_max, now_ms, .. } = *wanted;
        let id = wanted.conversation();
        let (pins, is_new) = (wanted.act == ViewAct::Pin, self.talk(&id).is_none());
        let may_begin = matches!(wanted.act, ViewAct::Pin | ViewAct::Note(_));
        let is_missing = !self.people.has(app, owner) || (may_begin && is_new && !self.people.has(app, peer));
        let before = self.sight(&id, &owner);
        let is_refused = pins && before.pinned_ms == 0 && self.pinned(app, owner) >= pinned_len_max;
        let fits = match answer {
            ViewChanged::UnknownAccount => is_missing,
            ViewChanged::TooManyPinned => !is_missing && is_refused,
            ViewChanged::Done(_) => !is_missing && !is_refused,
        };
        holds(fits, "refusals_are_true", || format!("{wanted:?} came to {answer:?}"))?;
        let ViewChanged::Done(told) = answer else { return Ok(()) };
        // One of which nothing is noted after all does not begin.
        if pins || !told.hints.is_empty() {
            self.begin(id);
        }
        let how = match wanted.act {
            ViewAct::Remove => ViewChange::Removed,
            ViewAct::Erase => ViewChange::Erased,
            ViewAct::Clear => ViewChange::Cleared,
            ViewAct::Pin => ViewChange::Pinned,
            ViewAct::Unpin => ViewChange::Unpinned,
            ViewAct::Note(_) => ViewChange::Noted,
        };
        if let Some(talk) = self.talk_mut(&id) {
            match &wanted.act {
                ViewAct::Remove => talk.remove(&owner),
                ViewAct::Erase => {
                    talk.remove(&owner);
                    talk.clear(&owner);
                }
                ViewAct::Clear => talk.clear(&owner),
                ViewAct::Pin if before.pinned_ms > 0 => {}
                ViewAct::Pin => talk.side_mut(&owner).pinned_ms = now_ms,
                ViewAct::Unpin => talk.side_mut(&owner).pinned_ms = 0,
                ViewAct::Note(note) => {
                    let seen = talk.side_mut(&owner);
                    seen.notify = note.notify.unwrap_or(seen.notify);
                    let notes = talk.notes_mut(&owner);
                    notes.marks = (notes.marks | note.marks_on) & !note.marks_off;
                    notes.custom = note.custom.clone().unwrap_or_else(|| notes.custom.clone());
                }
            }
        }
        // Devices may be told of a change that nobody can see, but must be of one that somebody can.
        let is_seen = self.sight(&id, &owner) != before;
        let entry = (is_seen || !told.hints.is_empty()).then_some((owner, Change::View { peer, how }));
        self.tell(app, News { entries: entry.into_iter().collect(), ..News::default() }, told)
    }

    /// How many conversations a user has pinned.
    pub(crate) fn pinned(&self, app: AppId, user: UserId) -> usize {
        let theirs = self.current().filter(|talk| talk.id.app == app && talk.is_of(&user));
        theirs.filter(|talk| talk.side(&user).pinned_ms > 0).count()
    }

    fn sight(&self, id: &ConversationId, owner: &UserId) -> Sight {
        let Some(talk) = self.talk(id) else { return Sight::default() };
        let Seen { head, pinned_ms, notify, .. } = talk.side(owner);
        let shown = talk.shown(owner).into_iter().cloned().collect();
        Sight { unread: talk.unread(owner), head, pinned_ms, notify, notes: talk.notes(owner).clone(), shown }
    }
}

fn is_read_up_to(talk: &Talk, reader: &UserId, seq: u64) -> bool {
    let theirs = talk.messages.iter().filter(|kept| kept.unread && kept.first().to == *reader);
    let mut unread = theirs.map(|kept| Arc::clone(kept.last()));
    unread.all(|message| message.seq > seq)
}
