//! What a device makes of what was pushed to it is what the store would say.

use super::look::{inbox, users_of};
use crate::device::Device;
use crate::ledger::{Bond, Ledger};
use crate::mirror::{Chatted, Mirror};
use crate::report::{Checked, holds};
use crate::world::World;
use chat::{ConversationId, Message, Side, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// Whenever a device came, and however often it was cut off, put back or began anew: it has the same conversations as
/// its user has in the store, message by message, and so the same as every other device of that user.
pub(crate) fn every_device_converges(world: &World) -> Checked {
    for device in &world.devices {
        let Some(stretch) = device.stretches.last() else { continue };
        let mirror = &device.mirror;
        let unread = inbox(world, device.app, device.user).map(|inbox| inbox.unread);
        holds(unread == Some(mirror.unread), "every_device_converges", || {
            format!("a device of {} shows {} unread messages of {unread:?}", device.user, mirror.unread)
        })?;
        let state = &mut *world.stage.lock();
        for peer in users_of(world, device.app) {
            conversation_converges(&state.ledger, device, peer)?;
        }
        state.counts.mirrors_compared += 1;
        if stretch.start == 0 {
            relations_converge(&state.ledger, device, mirror)?;
        } else {
            state.counts.late_mirrors_compared += 1;
        }
    }
    Ok(())
}

fn conversation_converges(ledger: &Ledger, device: &Device, peer: UserId) -> Checked {
    let user = device.user;
    let id = ConversationId::new(device.app, user, peer);
    let talk = ledger.talk(&id);
    let nothing = Chatted::default();
    let chatted = device.mirror.chats.get(&peer).unwrap_or(&nothing);
    let shown = talk.map_or_else(Vec::new, |talk| talk.shown(&user));
    // What is put into the history only is found there, and pushed to nobody.
    let is_silent = |message: &Message| message.delivery.imported && message.delivery.no_unread;
    let as_seen = |message: &Message| (message.seq, as_seen_by(&user, message));
    let pushed = |message: &&Message| !is_silent(message);
    let expected: BTreeMap<u64, Message> = shown.into_iter().filter(pushed).map(as_seen).collect();
    let known = chatted.messages.values().map(|message| &**message);
    let known: BTreeMap<u64, Message> = known.filter(pushed).map(as_seen).collect();
    holds(known == expected, "every_device_converges", || {
        format!("a device of {user} has {known:?} of {peer}, and the history {expected:?}")
    })?;
    let unread = talk.map_or(0, |talk| talk.unread(&user));
    let seen = talk.map(|talk| talk.side(&user)).unwrap_or_default();
    let has_silent = talk.is_some_and(|talk| talk.messages.iter().any(|kept| is_silent(kept.first())));
    let listed = seen.head.is_some();
    let fits = chatted.unread == i64::from(unread)
        && chatted.pinned == (seen.pinned_ms > 0)
        && (chatted.listed == listed || (listed && has_silent));
    holds(fits, "every_device_converges", || {
        let Chatted { unread: shown, listed, pinned, .. } = chatted;
        format!(
            "a device of {user} shows {peer} with {shown} unread, listed: {listed}, pinned: {pinned}; there are {unread}, and {seen:?}"
        )
    })?;
    // What was read in a conversation that has ended was told, and stays with whoever heard it.
    let has_ended = talk.is_none() || ledger.talks.iter().filter(|talk| talk.id == id).count() > 1;
    let read = talk.map_or([0; 2], |talk| [talk.side(&user), talk.side(&peer)].map(|side| side.read_until_s));
    // A mark of before everything that is left shows nowhere, and is not answered to whoever comes now. Only what is
    // imported later can be older than such a mark.
    let is_own = |message: &&Message| message.from == user && !message.delivery.imported;
    let is_read = |[_, theirs]: [u64; 2], message: &Message| message.time_s <= theirs;
    let mut messages = expected.values().filter(is_own);
    let fits =
        has_ended || messages.all(|message| is_read(chatted.read_until_s, message) == is_read(read, message));
    holds(fits, "every_device_converges", || {
        format!("a device of {user} has read {:?} with {peer}, and the store {read:?}", chatted.read_until_s)
    })
}

fn relations_converge(ledger: &Ledger, device: &Device, mirror: &Mirror) -> Checked {
    let user = device.user;
    let known =
        [(Bond::Friend, &mirror.friends), (Bond::Blocked, &mirror.blocked), (Bond::AskedBy, &mirror.asked)];
    for (bond, known) in known {
        let kept: BTreeSet<UserId> = ledger.people.peers(bond, device.app, user).collect();
        holds(*known == kept, "every_device_converges", || {
            format!("a device of {user} knows {known:?} by {bond:?}, and there are {kept:?}")
        })?;
    }
    Ok(())
}

/// Without what only the other one did to the other one's view.
fn as_seen_by(user: &UserId, message: &Message) -> Message {
    let mut message = message.clone();
    let other = match message.side(user) {
        Side::Low => Side::High,
        Side::High => Side::Low,
    };
    message.fate.deleted[other as usize] = false;
    message
}
