//! Acknowledged means stored, exactly once, and in one order for everybody.

use crate::ledger::{Ledger, Tag};
use crate::report::{Checked, holds};
use crate::store::at_once;
use crate::world::World;
use chat::port::{HistoryQuery, Store};
use chat::{Message, UserId};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) fn nothing_is_stored_twice(world: &World) -> Checked {
    for (tag, messages) in by_tag(&world.stage.lock().ledger) {
        holds(messages.len() == 1, "nothing_is_stored_twice", || {
            format!("send {} became {} messages: {messages:?}", tag.0, messages.len())
        })?;
    }
    Ok(())
}

pub(crate) fn every_acknowledged_send_is_stored_once(world: &World) -> Checked {
    let state = world.stage.lock();
    let stored = by_tag(&state.ledger);
    for (tag, intent) in (0..).map(Tag).zip(&world.intents) {
        let count = stored.get(&tag).map_or(0, Vec::len);
        let kept = intent.answers.is_empty() || count == 1;
        holds(kept, "every_acknowledged_send_is_stored_once", || {
            format!("send {} was acknowledged {:?} and stored {count} times", tag.0, intent.answers)
        })?;
    }
    Ok(())
}

/// However often a send is made, it is answered with the one message that it became.
pub(crate) fn answers_are_those_of_the_message(world: &World) -> Checked {
    let state = world.stage.lock();
    let stored = by_tag(&state.ledger);
    for (tag, messages) in &stored {
        let message = messages[0];
        for sent in &world.intents[tag.0 as usize].answers {
            let answered = (sent.time_s, sent.client_time_s, sent.wire_seq, sent.random);
            let became = (message.time_s, message.client_time_s, message.wire_seq, message.random);
            holds(answered == became, "answers_are_those_of_the_message", || {
                format!("send {} was answered {sent:?}, and became {message:?}", tag.0)
            })?;
        }
    }
    Ok(())
}

pub(crate) fn conversations_have_no_gaps(world: &World) -> Checked {
    for (conversation, messages) in &world.stage.lock().ledger.messages {
        let mut time_s = 0;
        for (expected, message) in (1..).zip(messages) {
            let in_place = message.seq == expected && message.time_s >= time_s;
            holds(in_place, "conversations_have_no_gaps", || {
                format!("{conversation:?}: message {expected} after {time_s} s is {message:?}")
            })?;
            time_s = message.time_s;
        }
    }
    Ok(())
}

/// Everybody finds what was committed, newest first, but what is hidden from them or was said before they left.
pub(crate) fn history_shows_every_message(world: &World) -> Checked {
    let state = world.stage.lock();
    for (conversation, messages) in &state.ledger.messages {
        for viewer in [conversation.low, conversation.high] {
            let cleared_seq = state.ledger.cleared.get(&(*conversation, viewer)).copied().unwrap_or(0);
            let expected: Vec<&Message> = shown(messages, &viewer, cleared_seq);
            let query = HistoryQuery {
                conversation: *conversation,
                viewer,
                time_s_min: 0,
                time_s_max: u64::MAX,
                before: None,
                limit: usize::MAX,
                bytes_max: usize::MAX,
            };
            let page = at_once(world.model.history(query)).expect("the model is always there");
            let found: Vec<&Message> = page.messages.iter().collect();
            holds(found == expected, "history_shows_every_message", || {
                format!("{viewer} finds {} messages of {}: {found:?}", found.len(), expected.len())
            })?;
        }
    }
    Ok(())
}

fn shown<'a>(messages: &'a [Arc<Message>], viewer: &UserId, cleared_seq: u64) -> Vec<&'a Message> {
    let visible = messages.iter().filter(|message| message.seq > cleared_seq && message.visible_to(viewer));
    visible.map(|message| &**message).rev().collect()
}

/// What each send became, online-only messages included.
pub(super) fn by_tag(ledger: &Ledger) -> BTreeMap<Tag, Vec<&Message>> {
    let stored = ledger.messages.values().flatten();
    let mut by_tag: BTreeMap<Tag, Vec<&Message>> = BTreeMap::new();
    for message in stored.chain(ledger.online.iter().map(|(_, message)| message)) {
        by_tag.entry(Tag::of(&message.custom_data)).or_default().push(message);
    }
    by_tag
}
