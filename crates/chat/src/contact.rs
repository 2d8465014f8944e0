//! A person's list of conversations: what can be done to an entry, and how the list is read in pages.

use crate::conversation::{Change, Conversation, View, ViewChange};
use crate::effect::Effects;
use crate::id::{AppId, ConversationId, UserId};
use crate::person::Person;

/// Something that a person does to their own view of a conversation.
#[derive(Debug, Clone, Copy)]
pub struct ChangeView {
    pub app: AppId,
    pub owner: UserId,
    pub peer: UserId,
    pub change: ViewChange,
    /// Conversations that a person can have pinned.
    pub pinned_len_max: usize,
    pub now_ms: u64,
}

impl ChangeView {
    pub fn conversation(&self) -> ConversationId {
        ConversationId::new(self.app, self.owner, self.peer)
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
) -> Result<Effects, TooManyPinned> {
    let last = conversation.last();
    let view = conversation.view(wanted.conversation().side(&wanted.owner));
    let before = *view;
    match wanted.change {
        ViewChange::Removed => {
            view.remove(last);
        }
        ViewChange::Erased => view.clear(last),
        ViewChange::Pinned if before.pinned_ms > 0 => {}
        ViewChange::Pinned if owner.pinned as usize >= wanted.pinned_len_max => return Err(TooManyPinned),
        ViewChange::Pinned => view.pinned_ms = wanted.now_ms.max(1),
        ViewChange::Unpinned => view.pinned_ms = 0,
    }
    owner.pinned += u32::from(view.pinned_ms > 0);
    owner.pinned -= u32::from(before.pinned_ms > 0);
    let mut effects = Effects::default();
    if *view != before {
        let change = Change::View { peer: wanted.peer, how: wanted.change };
        effects.enter(wanted.owner, change, i64::from(view.unread) - i64::from(before.unread));
    }
    Ok(effects)
}

/// An entry of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    pub peer: UserId,
    /// Of the message that it shows; 0 when there is none.
    pub time_s: u64,
    /// When it was pinned; 0 when it is not.
    pub pinned_ms: u64,
    pub unread: u32,
}

impl Contact {
    pub fn of(peer: UserId, view: &View) -> Self {
        Self { peer, time_s: view.head_time_s, pinned_ms: view.pinned_ms, unread: view.unread }
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

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactsPage {
    pub contacts: Vec<Contact>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<ContactCursor>,
}

impl ContactsQuery {
    /// Whether a view belongs to what is asked for.
    pub fn wants(&self, view: &View) -> bool {
        let is_shown = view.is_listed() || (self.with_empty && view.pinned_ms > 0);
        is_shown && self.pinned.is_none_or(|pinned| pinned == (view.pinned_ms > 0))
    }

    /// The page of the contacts that are wanted, which come in any order.
    pub fn page(&self, mut wanted: Vec<Contact>) -> ContactsPage {
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
        ContactsPage { contacts, next }
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

    #[test]
    fn every_contact_is_on_exactly_one_page() {
        let contact = |(name, time_s)| Contact { peer: user(name), time_s, pinned_ms: 0, unread: 0 };
        let all = [("d", 5), ("a", 9), ("c", 5), ("b", 5), ("f", 1), ("e", 5), ("g", 5)].map(contact);
        for limit in 1..=8 {
            let mut query = ContactsQuery {
                app: AppId(1),
                owner: user("me"),
                pinned: None,
                with_empty: false,
                after: None,
                limit,
            };
            let mut seen = Vec::new();
            loop {
                let page = query.page(all.to_vec());
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
