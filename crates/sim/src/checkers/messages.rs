//! Acknowledged means stored, exactly once, and everybody finds it as it stands.

use crate::ledger::{Ledger, Tag, Talk};
use crate::report::{Checked, holds};
use crate::store::at_once;
use crate::world::World;
use chat::Message;
use chat::port::{Direction, Found, HistoryQuery, Landing, SendQuery, Store};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A page of the history, small enough that there are several.
const PAGE_LEN: usize = 7;

/// However often something is sent or imported, it is in its conversation once.
pub(crate) fn nothing_is_stored_twice(world: &World) -> Checked {
    let state = world.stage.lock();
    let mut stored: BTreeMap<_, u32> = BTreeMap::new();
    for (index, talk) in state.ledger.talks.iter().enumerate() {
        for kept in &talk.messages {
            // Several can be imported at once, and differ in this.
            let part = kept.first().delivery.imported.then_some(&*kept.first().body);
            *stored.entry((kept.tag, Some(index), part)).or_default() += 1;
        }
    }
    for (tag, ..) in &state.ledger.online {
        *stored.entry((*tag, None, None)).or_default() += 1;
    }
    for ((tag, _, part), count) in stored {
        let checker = if part.is_some() { "imports_are_stored_once" } else { "nothing_is_stored_twice" };
        holds(count == 1, checker, || format!("errand {} became {count} messages", tag.0))?;
    }
    Ok(())
}

pub(crate) fn every_acknowledged_send_is_stored(world: &World) -> Checked {
    let state = world.stage.lock();
    let stored = by_tag(&state.ledger);
    for (tag, errand) in (0..).map(Tag).zip(&world.errands) {
        let kept = errand.answers.is_empty() || stored.contains_key(&tag);
        holds(kept, "every_acknowledged_send_is_stored", || {
            format!("send {} was acknowledged {:?}, and never stored", tag.0, errand.answers)
        })?;
    }
    Ok(())
}

/// However often a send is made, it is answered with the message that it became.
pub(crate) fn answers_are_those_of_the_message(world: &World) -> Checked {
    let state = world.stage.lock();
    for (tag, messages) in &by_tag(&state.ledger) {
        for sent in &world.errands[tag.0 as usize].answers {
            let answered = (sent.time_s, sent.client_time_s, sent.wire_seq, sent.random);
            let became = |message: &&Message| {
                answered == (message.time_s, message.client_time_s, message.wire_seq, message.random)
            };
            holds(messages.iter().any(became), "answers_are_those_of_the_message", || {
                format!("send {} was answered {sent:?}, and became {messages:?}", tag.0)
            })?;
        }
    }
    Ok(())
}

/// Everybody finds what was committed, newest first, but what is hidden from them or was said before they left.
pub(crate) fn history_shows_every_message(world: &World) -> Checked {
    let state = world.stage.lock();
    for talk in state.ledger.current() {
        for viewer in [talk.id.low, talk.id.high] {
            let mut expected = talk.shown(&viewer);
            for direction in [Direction::Older, Direction::Newer] {
                let query = HistoryQuery {
                    conversation: talk.id,
                    viewer,
                    direction,
                    time_s_min: 0,
                    time_s_max: u64::MAX,
                    behind: None,
                    limit: usize::MAX,
                    bytes_max: usize::MAX,
                };
                let page = at_once(world.model.history(query)).expect("the model is always there");
                let found: Vec<&Message> = page.messages.iter().collect();
                holds(found == expected, "history_shows_every_message", || {
                    format!("{viewer} finds {} messages of {}: {found:?}", found.len(), expected.len())
                })?;
                pages_add_up(world, query, &expected)?;
                expected.reverse();
            }
        }
    }
    Ok(())
}

/// Page by page, one comes to each message once, also where several bear the same key.
fn pages_add_up(world: &World, mut query: HistoryQuery, expected: &[&Message]) -> Checked {
    query.limit = PAGE_LEN;
    let mut met: Vec<Message> = Vec::new();
    while met.len() <= expected.len() {
        let page = at_once(world.model.history(query)).expect("the model is always there");
        query.behind = page.next;
        met.extend(page.messages);
        if query.behind.is_none() {
            break;
        }
    }
    holds(met.iter().eq(expected.iter().copied()), "history_shows_every_message", || {
        format!("page by page, {} meets {met:?}, not {expected:?}", query.viewer)
    })
}

/// A message is found by its key, with all that was done to it.
pub(crate) fn messages_are_found_as_they_stand(world: &World) -> Checked {
    let state = world.stage.lock();
    for talk in state.ledger.current() {
        for kept in &talk.messages {
            let key = kept.first().key();
            let newest = talk.messages.iter().rfind(|other| other.first().key() == key);
            let expected = newest
                .map(|kept| Found { message: Message::clone(kept.last()), extensions: kept.pairs.clone() });
            let found = at_once(world.model.find(talk.id, key)).expect("the model is always there");
            holds(found == expected, "messages_are_found_as_they_stand", || {
                format!("{key:?} finds {found:?}, not {expected:?}")
            })?;
        }
    }
    Ok(())
}

/// Whoever lost an answer can ask what became of the send.
pub(crate) fn sends_can_be_looked_up(world: &World) -> Checked {
    let state = world.stage.lock();
    for request in world.errands.iter().filter_map(|errand| errand.send()) {
        let (app, from, to) = (request.app, request.from, request.to);
        let query = SendQuery {
            app,
            from,
            to,
            random: request.random,
            seq: request.seq,
            since_s: 0,
            looks_max: usize::MAX,
        };
        let landing = at_once(world.model.landed(query)).expect("the model is always there");
        let id = chat::ConversationId::new(app, from, to);
        let newest = state.ledger.talk(&id).and_then(|talk| newest(talk, &query));
        let fits = match (newest, landing) {
            (Some(message), Landing::Stored { key, client_time_s }) => {
                key == message.key() && client_time_s == message.client_time_s
            }
            (None, Landing::Refused { event, .. }) => state.ledger.events.contains_key(&event),
            (None, Landing::Unseen) => true,
            _ => false,
        };
        holds(fits, "sends_can_be_looked_up", || format!("{query:?} finds {landing:?}, not {newest:?}"))?;
    }
    Ok(())
}

fn newest<'a>(talk: &'a Talk, query: &SendQuery) -> Option<&'a Message> {
    let fits = |message: &&Message| {
        let same = message.from == query.from && message.random == query.random;
        same && message.to == query.to && query.seq.is_none_or(|seq| seq == message.wire_seq)
    };
    let messages = talk.messages.iter().map(|kept| kept.first()).filter(fits);
    messages.min_by_key(|message| Reverse((message.time_s, message.seq)))
}

/// What each send and import became, online-only messages included, as they came.
fn by_tag(ledger: &Ledger) -> BTreeMap<Tag, Vec<&Message>> {
    let mut by_tag: BTreeMap<Tag, Vec<&Message>> = BTreeMap::new();
    for kept in ledger.talks.iter().flat_map(|talk| &talk.messages) {
        by_tag.entry(kept.tag).or_default().push(kept.first());
    }
    for (tag, _, message) in &ledger.online {
        by_tag.entry(*tag).or_default().push(message);
    }
    by_tag
}
