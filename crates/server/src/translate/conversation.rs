//! A user's list of conversations, as devices are shown it.

use super::{message_id, shown};
use chat::AppId;
use chat::contact::{Contact, ContactCursor};
use chat::conversation::Notify;
use protocol::client::{self, ConversationEntry, ListPlace};

pub fn notify(notify: client::Notify) -> Notify {
    match notify {
        client::Notify::AcceptAndNotify => Notify::Ring,
        client::Notify::AcceptNotNotify => Notify::Silent,
        client::Notify::Discard => Notify::Discard,
    }
}

fn shown_notify(notify: Notify) -> client::Notify {
    match notify {
        Notify::Ring => client::Notify::AcceptAndNotify,
        Notify::Silent => client::Notify::AcceptNotNotify,
        Notify::Discard => client::Notify::Discard,
    }
}

pub fn cursor(place: ListPlace) -> ContactCursor {
    ContactCursor { time_s: place.time_s, skip: usize::try_from(place.skip).unwrap_or(usize::MAX) }
}

pub fn place(cursor: ContactCursor) -> ListPlace {
    ListPlace { time_s: cursor.time_s, skip: cursor.skip as u64 }
}

/// Each contact with the `MsgId` of its last message, which [`entry`] borrows.
pub fn with_last_ids(app: AppId, contacts: &[Contact]) -> Vec<(&Contact, String)> {
    let with_id = |contact: &Contact| {
        contact.details.last.as_ref().map_or_else(String::new, |last| message_id(app, last))
    };
    contacts.iter().map(|contact| (contact, with_id(contact))).collect()
}

pub fn entry<'a>((contact, last_id): &'a (&'a Contact, String)) -> ConversationEntry<'a> {
    let details = &contact.details;
    ConversationEntry {
        peer: contact.peer.as_str(),
        time_s: contact.time_s,
        unread: u64::from(contact.unread),
        pinned_ms: contact.pinned_ms,
        notify: shown_notify(contact.notify),
        marks: details.notes.marks,
        custom: &details.notes.custom,
        last: details.last.as_ref().map(|last| shown(last, last_id)),
        peer_read_until_s: contact.peer_read_until_s,
        read_until_s: contact.read_until_s,
        remark: &details.remark,
    }
}
