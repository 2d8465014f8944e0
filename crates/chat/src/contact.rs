//! A person's list of conversations: what can be done to an entry, and how the list is read in pages.

use crate::conversation::{Change, Conversation, Inbox, Notify, View, ViewChange};
use crate::effect::Effects;
use crate::id::{AppId, ConversationId, UserId};
use crate::message::Message;
use crate::person::Person;
use std::sync::Arc;

/// Bytes of the text that a person can note of a conversation.
pub const CUSTOM_BYTES_MAX: usize = 256;

/// Something that a person does to their own view of a conversation.
#[derive(Debug, Clone)]
pub struct ChangeView {
    pub app: AppId,
    pub owner: UserId,
    pub peer: UserId,
    pub act: ViewAct,
    /// Conversations that a person can have pinned.
    pub pinned_len_max: usize,
    pub now_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewAct {
    /// Takes it out of the list, with what was noted of it; the history stays.
    Remove,
    /// Takes it out of the list, with the history and what was noted of it.
    Erase,
    /// Forgets the history. The conversation stays where it is in the list, with nothing unread.
    Clear,
    Pin,
    Unpin,
    Note(NoteView),
}

/// What is set and noted anew; the rest stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoteView {
    pub notify: Option<Notify>,
    /// Marks that are put on it, and then marks that are taken off, one for each bit.
    pub marks_on: u64,
    pub marks_off: u64,
    /// At most [`CUSTOM_BYTES_MAX`].
    pub custom: Option<String>,
}

/// What a person has noted of a conversation, for their own devices. Kept beside the view, which every message changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notes {
    /// One for each bit. What they mean, the app's users know.
    pub marks: u64,
    pub custom: String,
}

impl ChangeView {
    pub fn conversation(&self) -> ConversationId {
        ConversationId::new(self.app, self.owner, self.peer)
    }

    /// Whether it may be done to a conversation that has not begun, which then begins.
    pub fn begins(&self) -> bool {
        matches!(self.act, ViewAct::Pin | ViewAct::Note(_))
    }

    /// Whether it has to do with the notes, which are otherwise not looked at.
    pub fn changes_notes(&self) -> bool {
        matches!(self.act, ViewAct::Remove | ViewAct::Erase | ViewAct::Note(_))
    }

    fn news(&self) -> ViewChange {
        match self.act {
            ViewAct::Remove => ViewChange::Removed,
            ViewAct::Erase => ViewChange::Erased,
            ViewAct::Clear => ViewChange::Cleared,
            ViewAct::Pin => ViewChange::Pinned,
            ViewAct::Unpin => ViewChange::Unpinned,
            ViewAct::Note(_) => ViewChange::Noted,
        }
    }
}

/// There would be too many pinned conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyPinned;

/// Carries out the change. When there are no effects, it was so already.
pub fn change_view(
    wanted: &ChangeView,
    owner: &mut Person,
    conversation: &mut Conversation,
    notes: &mut Notes,
) -> Result<Effects, TooManyPinned> {
    let last = conversation.last();
    let view = conversation.view(wanted.conversation().side(&wanted.owner));
    let (before, noted) = (*view, notes.clone());
    match &wanted.act {
        ViewAct::Remove => {
            view.remove(last);
            *notes = Notes::default();
        }
        ViewAct::Erase => {
            view.remove(last);
            view.clear(last);
            *notes = Notes::default();
        }
        ViewAct::Clear => view.clear(last),
        ViewAct::Pin if before.pinned_ms > 0 => {}
        ViewAct::Pin if owner.pinned as usize >= wanted.pinned_len_max => return Err(TooManyPinned),
        ViewAct::Pin => view.pinned_ms = wanted.now_ms.max(1),
        ViewAct::Unpin => view.pinned_ms = 0,
        ViewAct::Note(note) => {
            view.notify = note.notify.unwrap_or(view.notify);
            notes.marks = (notes.marks | note.marks_on) & !note.marks_off;
            if let Some(custom) = &note.custom {
                notes.custom.clone_from(custom);
            }
        }
    }
    owner.pinned += u32::from(view.pinned_ms > 0);
    owner.pinned -= u32::from(before.pinned_ms > 0);
    let mut effects = Effects::default();
    if *view != before || *notes != noted {
        let change = Change::View { peer: wanted.peer, how: wanted.news() };
        effects.enter(wanted.owner, change, i64::from(view.unread) - i64::from(before.unread));
    }
    Ok(effects)
}

/// An entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    pub peer: UserId,
    /// Of the message that it shows; 0 when there is none.
    pub time_s: u64,
    /// When it was pinned; 0 when it is not.
    pub pinned_ms: u64,
    pub unread: u32,
    pub notify: Notify,
    /// The time up to which the owner, and the peer, have said that everything is read; 0 is never.
    pub read_until_s: u64,
    pub peer_read_until_s: u64,
    /// Empty unless they were asked for.
    pub details: ContactDetails,
}

/// What else there is to an entry, and has to be looked up for each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactDetails {
    /// The newest message that belongs into the list and is visible to the owner.
    pub last: Option<Arc<Message>>,
    pub notes: Notes,
    /// What the owner calls the peer, if they are friends.
    pub remark: String,
}

/// Messages that are looked at for the one that an entry shows, when the owner has deleted it. Behind them, none is.
pub const LAST_LOOKS_MAX: usize = 100;

impl Contact {
    pub fn of(peer: UserId, owner: &UserId, conversation: &Conversation) -> Self {
        let [low, high] = &conversation.sides;
        let (view, other) = if *owner <= peer { (low, high) } else { (high, low) };
        // In a conversation with oneself, both are the same.
        let other = if *owner == peer { view } else { other };
        Self {
            peer,
            time_s: view.head_time_s,
            pinned_ms: view.pinned_ms,
            unread: view.unread,
            notify: view.notify,
            read_until_s: view.read_until_s,
            peer_read_until_s: other.read_until_s,
            details: ContactDetails::default(),
        }
    }

    /// Whether there is anything to show of it to one who asks for this peer.
    pub fn is_something(&self) -> bool {
        let Self { time_s, pinned_ms, unread, notify, .. } = *self;
        let is_set = time_s > 0 || pinned_ms > 0 || unread > 0 || notify != Notify::default();
        // Out of the list, the history is still there, and shows what was read.
        let is_read = self.read_until_s > 0 || self.peer_read_until_s > 0;
        is_set || is_read || self.details.last.is_some() || self.details.notes != Notes::default()
    }
}

impl View {
    /// Whether a message can be the one that the list shows to the owner of this view.
    pub fn lists(&self, message: &Message, owner: &UserId) -> bool {
        let is_there = message.seq > self.cleared_seq && message.visible_to(owner);
        let belongs = !message.delivery.no_last && message.time_s <= self.head_time_s;
        self.is_listed() && is_there && belongs
    }
}

/// A page of the list: the newest first, and of one time by name.
#[derive(Debug, Clone, Copy)]
pub struct ContactsQuery {
    pub app: AppId,
    pub owner: UserId,
    /// Only those that are pinned, only those that are not, or both.
    pub pinned: Option<bool>,
    /// Also those that show no message.
    pub with_empty: bool,
    /// Only those in which something is unread, also such as are not in the list.
    pub unread_only: bool,
    /// With what has to be looked up for each entry.
    pub with_details: bool,
    /// Where to go on; `None` begins.
    pub after: Option<ContactCursor>,
    /// At least 1.
    pub limit: usize,
}

/// A place in the list: behind the first `skip` entries of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContactCursor {
    pub time_s: u64,
    pub skip: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactsPage {
    pub contacts: Vec<Contact>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<ContactCursor>,
    /// Where the person's log ended when the page was read: nothing behind it is in the page.
    pub inbox: Inbox,
}

impl ContactsQuery {
    /// Whether a view belongs to what is asked for.
    pub fn wants(&self, view: &View) -> bool {
        if self.unread_only && view.unread == 0 {
            return false;
        }
        let is_shown = self.unread_only || view.is_listed() || (self.with_empty && view.pinned_ms > 0);
        is_shown && self.pinned.is_none_or(|pinned| pinned == (view.pinned_ms > 0))
    }

    /// The page of the contacts that are wanted, which come in any order.
    pub fn page(&self, mut wanted: Vec<Contact>, inbox: Inbox) -> ContactsPage {
        if let Some(after) = self.after {
            wanted.retain(|contact| contact.time_s <= after.time_s);
        }
        wanted.sort_unstable_by(|a, b| b.time_s.cmp(&a.time_s).then_with(|| a.peer.cmp(&b.peer)));
        let same = |time_s| move |contact: &&Contact| contact.time_s == time_s;
        let skipped = self
            .after
            .map_or(0, |after| wanted.iter().take_while(same(after.time_s)).count().min(after.skip));
        let mut contacts = wanted.split_off(skipped);
        let more = contacts.len() > self.limit;
        contacts.truncate(self.limit);
        let next = self.behind(&contacts).filter(|_| more);
        ContactsPage { contacts, next, inbox }
    }

    /// The place behind a page of this query; where it begins when there is nothing on it.
    pub fn behind(&self, page: &[Contact]) -> Option<ContactCursor> {
        let Some(last) = page.last() else { return self.after };
        let of_page = page.iter().rev().take_while(|contact| contact.time_s == last.time_s).count();
        let goes_on = self.after.filter(|after| after.time_s == last.time_s && of_page == page.len());
        Some(ContactCursor { time_s: last.time_s, skip: of_page + goes_on.map_or(0, |after| after.skip) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> UserId {
        UserId::new(text).unwrap()
    }

    /// A device that came after a conversation was taken out of the list did not learn what the peer had read of the
    /// history that was left.
    #[test]
    fn what_was_read_can_be_asked_for_out_of_the_list() {
        let is_something = |[low_s, high_s]: [u64; 2]| {
            let mut talk = Conversation::default();
            [talk.sides[0].read_until_s, talk.sides[1].read_until_s] = [low_s, high_s];
            Contact::of(user("me"), &user("you"), &talk).is_something()
        };
        assert_eq!([[0, 0], [5, 0], [0, 5]].map(is_something), [false, true, true]);
    }

    #[test]
    fn every_contact_is_on_exactly_one_page() {
        let contact = |(name, time_s)| {
            let mut talk = Conversation::default();
            talk.sides[1].head_time_s = time_s;
            Contact::of(user(name), &user("me"), &talk)
        };
        let all = [("d", 5), ("a", 9), ("c", 5), ("b", 5), ("f", 1), ("e", 5), ("g", 5)].map(contact);
        for limit in 1..=8 {
            let mut query = ContactsQuery {
                app: AppId(1),
                owner: user("me"),
                pinned: None,
                with_empty: false,
                unread_only: false,
                with_details: false,
                after: None,
                limit,
            };
            let mut seen = Vec::new();
            loop {
                let page = query.page(all.to_vec(), Inbox::new(1));
                assert!(page.contacts.len() <= limit);
                seen.extend(page.contacts.iter().map(|contact| contact.peer.as_str().to_owned()));
                query.after = page.next;
                if page.next.is_none() {
                    break;
                }
            }
            assert_eq!(seen, ["a", "b", "c", "d", "e", "g", "f"], "pages of {limit}");
        }
    }
}
