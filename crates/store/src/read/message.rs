//! Conversations and their messages.

use super::event::event;
use super::person::{inbox_of, tie};
use crate::codec;
use crate::engine::{Row, Snapshot, Table};
use crate::key;
use chat::alter::{Extensions, Found};
use chat::contact::{Contact, ContactDetails, ContactsPage, ContactsQuery, LAST_LOOKS_MAX, Notes};
use chat::conversation::{Conversation, Place, View};
use chat::message::MessageKey;
use chat::port::{Alter, Direction, HistoryPage, HistoryQuery, Landing, PageBuilder, SendQuery, Stored};
use chat::send::lane_of;
use chat::{AppId, ConversationId, Fact, Message, Outcome, UserId};
use std::sync::Arc;

pub(crate) fn conversation(snapshot: &Snapshot<'_>, id: &ConversationId) -> Stored<Option<Conversation>> {
    let value = snapshot.get(Table::Conversations, key::conversation(id))?;
    value.map(|value| decoded_conversation(id, &value)).transpose()
}

pub(crate) fn decoded_conversation(id: &ConversationId, value: &[u8]) -> Stored<Conversation> {
    codec::decode_conversation(value)
        .map_err(|what| Table::Conversations.corrupt(key::conversation(id).as_ref(), what))
}

pub(crate) fn decoded_message(id: &ConversationId, place: Place, value: &[u8]) -> Stored<Message> {
    codec::decode_message(id, place, value)
        .map_err(|what| Table::Messages.corrupt(key::message(id, place).as_ref(), what))
}

/// The messages of a conversation up to a time, newest first.
pub(crate) fn messages(
    snapshot: &Snapshot<'_>,
    id: &ConversationId,
    time_s_max: u64,
) -> impl Iterator<Item = Stored<Message>> {
    let from = key::message(id, Place { time_s: time_s_max, seq: u64::MAX });
    let id = *id;
    let rows = snapshot.scan_from(Table::Messages, key::conversation(&id), from);
    rows.map(move |row| row.and_then(|row| decoded_row(&id, &row)))
}

/// The messages that a send at `now_s` can be a repetition of, newest first.
pub(crate) fn recent_messages(
    snapshot: &Snapshot<'_>,
    id: &ConversationId,
    now_s: u64,
) -> impl Iterator<Item = Stored<Message>> {
    let [from, until] = key::recent(id, now_s);
    let id = *id;
    let between = [from.as_ref(), until.as_ref()];
    let rows = snapshot.scan_between(Table::Messages, key::conversation(&id), between);
    rows.map(move |row| row.and_then(|row| decoded_row(&id, &row)))
}

/// The messages of a conversation from a time on, oldest first.
fn messages_from(
    snapshot: &Snapshot<'_>,
    id: &ConversationId,
    time_s_min: u64,
) -> impl Iterator<Item = Stored<Message>> {
    let from = key::message(id, Place { time_s: time_s_min, seq: 0 });
    let id = *id;
    let rows = snapshot.scan_back(Table::Messages, key::conversation(&id), from);
    rows.map(move |row| row.and_then(|row| decoded_row(&id, &row)))
}

fn decoded_row(id: &ConversationId, (key, value): &Row) -> Stored<Message> {
    let message = key::place_of(key).and_then(|place| codec::decode_message(id, place, value));
    message.map_err(|what| Table::Messages.corrupt(key, what))
}

/// How many messages behind a time are unread; `None` when more rows than this have to be looked at. All of them have
/// to be in the database.
pub(crate) fn unread_behind(
    snapshot: &Snapshot<'_>,
    (id, reader): (&ConversationId, &UserId),
    conversation: &Conversation,
    until_s: u64,
    looks_max: usize,
) -> Stored<Option<u32>> {
    let view = &conversation.sides[id.side(reader) as usize];
    // Nothing that is unread can be so old.
    if until_s <= view.read_time_s {
        return Ok(Some(view.unread));
    }
    let mut count = 0;
    if view.unread == 0 {
        return Ok(Some(0));
    }
    for (looked_at, message) in messages(snapshot, id, u64::MAX).enumerate() {
        let message = message?;
        if count == view.unread || message.time_s <= until_s {
            break;
        }
        if looked_at == looks_max {
            return Ok(None);
        }
        if message.to == *reader && message.counts() && view.is_unread(message.place()) {
            count += 1;
        }
    }
    Ok(Some(count))
}

/// Where the message is that is to be altered, if it is among so many of its second.
pub(crate) fn place_meant(
    snapshot: &Snapshot<'_>,
    wanted: &Alter,
    looks_max: usize,
) -> Stored<Option<Place>> {
    let is_meant = |message: &Stored<Message>| message.as_ref().map_or(true, |found| wanted.means(found));
    let id = wanted.conversation();
    let mut named = named(snapshot, &id, wanted.key, looks_max);
    Ok(named.find(is_meant).transpose()?.map(|message| message.place()))
}

/// Whether a conversation has more messages of one second than this.
pub(crate) fn second_exceeds(
    snapshot: &Snapshot<'_>,
    id: &ConversationId,
    time_s: u64,
    len: usize,
) -> Stored<bool> {
    let row = snapshot.scan(Table::Messages, key::second(id, time_s)).nth(len);
    row.transpose().map(|row| row.is_some())
}

/// The messages that the wire names so among so many of their second, the one with the highest number first.
pub(crate) fn named(
    snapshot: &Snapshot<'_>,
    id: &ConversationId,
    wanted: MessageKey,
    looks_max: usize,
) -> impl Iterator<Item = Stored<Message>> {
    let id = *id;
    let second = snapshot.scan(Table::Messages, key::second(&id, wanted.time_s)).take(looks_max);
    second.filter_map(move |row| {
        let (key, value) = match row {
            Ok(row) => row,
            Err(error) => return Some(Err(error)),
        };
        let message = key::place_of(&key).and_then(|place| {
            // Others of that second are passed over without a copy of their content.
            if codec::message_key(place, &value)? == wanted {
                codec::decode_message(&id, place, &value).map(Some)
            } else {
                Ok(None)
            }
        });
        message.map_err(|what| Table::Messages.corrupt(&key, what)).transpose()
    })
}

pub(crate) fn find(
    snapshot: &Snapshot<'_>,
    id: &ConversationId,
    wanted: MessageKey,
) -> Stored<Option<Found>> {
    let message = named(snapshot, id, wanted, usize::MAX).next().transpose()?;
    message.map(|message| with_extensions(snapshot, id, message)).transpose()
}

pub(crate) fn find_for(
    snapshot: &Snapshot<'_>,
    id: &ConversationId,
    viewer: &UserId,
    wanted: MessageKey,
) -> Stored<Option<Found>> {
    let Some(message) = named(snapshot, id, wanted, usize::MAX).next().transpose()? else {
        return Ok(None);
    };
    let conversation = conversation(snapshot, id)?.unwrap_or_default();
    if !conversation.shows(&message, viewer) {
        return Ok(None);
    }
    with_extensions(snapshot, id, message).map(Some)
}

fn with_extensions(snapshot: &Snapshot<'_>, id: &ConversationId, message: Message) -> Stored<Found> {
    let key = key::message(id, message.place());
    let extensions = match snapshot.get(Table::Extensions, key)? {
        Some(value) => {
            codec::decode_extensions(&value).map_err(|what| Table::Extensions.corrupt(key.as_ref(), what))?
        }
        None => Extensions::default(),
    };
    Ok(Found { message, extensions })
}

pub(crate) fn landed(snapshot: &Snapshot<'_>, query: &SendQuery) -> Stored<Landing> {
    let id = ConversationId::new(query.app, query.from, query.to);
    let mut unseen = Landing::Unseen;
    for (looked_at, message) in messages(snapshot, &id, u64::MAX).enumerate() {
        let message = message?;
        if message.time_s < query.since_s {
            break;
        }
        if looked_at == query.looks_max {
            // Some of its second may have been looked at, but not all.
            unseen = Landing::UnseenSince { time_s: message.time_s + 1 };
            break;
        }
        if query.means(&message) {
            return Ok(Landing::Stored { key: message.key(), client_time_s: message.client_time_s });
        }
    }
    let lane = lane_of(&id, snapshot.lanes_per_app());
    for row in snapshot.scan(Table::Refusals, key::refusals(&id, query.random)) {
        let (key, _) = row?;
        let corrupt = |what| Table::Refusals.corrupt(&key, what);
        let offset = key::refused_offset(&key).map_err(corrupt)?;
        let event = event(snapshot, lane, offset)?.ok_or_else(|| corrupt("its event is not there"))?;
        if let Fact::AfterSend(fact) = &event.fact
            && let Outcome::Refused(refusal) = fact.outcome
            && fact.time_s >= query.since_s
            && query.means_refused(fact)
        {
            return Ok(Landing::Refused { refusal, event: event.id });
        }
    }
    Ok(unseen)
}

pub(crate) fn history(snapshot: &Snapshot<'_>, query: &HistoryQuery) -> Stored<HistoryPage> {
    let id = &query.conversation;
    let conversation = conversation(snapshot, id)?.unwrap_or_default();
    let mut page = query.page(&conversation.sides[id.side(&query.viewer) as usize]);
    let start_s = page.start_s();
    match query.direction {
        Direction::Older => fill(&mut page, messages(snapshot, id, start_s))?,
        Direction::Newer => fill(&mut page, messages_from(snapshot, id, start_s))?,
    }
    Ok(page.finish())
}

fn fill(page: &mut PageBuilder, offered: impl Iterator<Item = Stored<Message>>) -> Stored<()> {
    for message in offered {
        if page.take(&message?).is_break() {
            break;
        }
    }
    Ok(())
}

pub(crate) fn unread(snapshot: &Snapshot<'_>, app: AppId, user: &UserId, peer: UserId) -> Stored<u32> {
    let id = ConversationId::new(app, *user, peer);
    let conversation = conversation(snapshot, &id)?.unwrap_or_default();
    Ok(conversation.sides[id.side(user) as usize].unread)
}

/// With whom a user has conversations.
pub(crate) fn peers(
    snapshot: &Snapshot<'_>,
    app: AppId,
    user: &UserId,
) -> impl Iterator<Item = Stored<UserId>> {
    let prefix = key::account(app, user);
    snapshot.scan(Table::Peers, prefix).map(move |row| {
        let (key, _) = row?;
        key::peer_of(&key, &prefix).map_err(|what| Table::Peers.corrupt(&key, what))
    })
}

pub(crate) fn contacts(snapshot: &Snapshot<'_>, query: &ContactsQuery) -> Stored<Option<ContactsPage>> {
    let ContactsQuery { app, owner, .. } = query;
    let Some(inbox) = inbox_of(snapshot, *app, owner)? else {
        return Ok(None);
    };
    let mut wanted = Vec::new();
    let peers = peers(snapshot, *app, owner).collect::<Stored<Vec<UserId>>>()?;
    expect_conversations(snapshot, *app, owner, &peers)?;
    for peer in peers {
        let id = ConversationId::new(*app, *owner, peer);
        let conversation = conversation(snapshot, &id)?.ok_or_else(|| missing_conversation(&id))?;
        if query.wants(&conversation.sides[id.side(owner) as usize]) {
            wanted.push(Contact::of(peer, owner, &conversation));
        }
    }
    let mut page = query.page(wanted, inbox);
    if query.with_details {
        for contact in &mut page.contacts {
            let id = ConversationId::new(*app, *owner, contact.peer);
            let conversation = conversation(snapshot, &id)?.ok_or_else(|| missing_conversation(&id))?;
            contact.details = details(snapshot, &id, owner, &conversation)?;
        }
    }
    Ok(Some(page))
}

fn expect_conversations(snapshot: &Snapshot<'_>, app: AppId, owner: &UserId, peers: &[UserId]) -> Stored<()> {
    let key = |peer: &UserId| key::conversation(&ConversationId::new(app, *owner, *peer));
    snapshot.expect(Table::Conversations, peers.iter().map(key))
}

pub(crate) fn contacts_with(
    snapshot: &Snapshot<'_>,
    app: AppId,
    owner: &UserId,
    peers: &[UserId],
) -> Stored<Option<ContactsPage>> {
    let Some(inbox) = inbox_of(snapshot, app, owner)? else {
        return Ok(None);
    };
    expect_conversations(snapshot, app, owner, peers)?;
    let mut contacts = Vec::with_capacity(peers.len());
    for peer in peers {
        let id = ConversationId::new(app, *owner, *peer);
        let Some(conversation) = conversation(snapshot, &id)? else {
            continue;
        };
        let details = details(snapshot, &id, owner, &conversation)?;
        contacts.push(Contact { details, ..Contact::of(*peer, owner, &conversation) });
    }
    contacts.retain(Contact::is_something);
    Ok(Some(ContactsPage { contacts, next: None, inbox }))
}

fn details(
    snapshot: &Snapshot<'_>,
    id: &ConversationId,
    owner: &UserId,
    conversation: &Conversation,
) -> Stored<ContactDetails> {
    let peer = id.peer(owner);
    let notes_key = key::peer(id.app, owner, &peer);
    let notes = match snapshot.get(Table::Notes, notes_key)? {
        Some(value) => {
            codec::decode_notes(&value).map_err(|what| Table::Notes.corrupt(notes_key.as_ref(), what))?
        }
        None => Notes::default(),
    };
    let friend = tie(snapshot, id.app, owner, &peer)?.friend;
    let view = &conversation.sides[id.side(owner) as usize];
    Ok(ContactDetails {
        last: last_listed(snapshot, id, owner, view)?,
        notes,
        remark: friend.map(|friend| friend.remark).unwrap_or_default(),
    })
}

/// The message that the list shows. As a rule it is the first that is looked at.
fn last_listed(
    snapshot: &Snapshot<'_>,
    id: &ConversationId,
    owner: &UserId,
    view: &View,
) -> Stored<Option<Arc<Message>>> {
    if !view.is_listed() {
        return Ok(None);
    }
    for message in messages(snapshot, id, view.head_time_s).take(LAST_LOOKS_MAX) {
        let message = message?;
        if view.lists(&message, owner) {
            return Ok(Some(Arc::new(message)));
        }
    }
    Ok(None)
}

/// A conversation that is filed under its people is not there.
pub(crate) fn missing_conversation(id: &ConversationId) -> chat::port::StoreError {
    Table::Peers.corrupt(key::conversation(id).as_ref(), "its conversation does not exist")
}
