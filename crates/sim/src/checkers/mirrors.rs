//! What a device makes of what was pushed to it is what the store would say.

use super::look::{inbox, users_of};
use crate::device::Device;
use crate::ledger::{Bond, Ledger};
use crate::mirror::{Chatted, Mirror};
use crate::report::{Checked, holds};
use crate::world::World;
use chat::{ConversationId, Message, Side, UserId};
use std::collections::{BTreeMap, BTreeSet};

/// A device that has its user's whole log knows everything that a device can know; another one knows nothing that is
/// not so.
pub(crate) fn every_device_converges(world: &World) -> Checked {
    for device in &world.devices {
        let Some(stretch) = device.stretches.last() else { continue };
        let mirror = Mirror::of(&device.user, stretch);
        let is_whole = stretch.start == 0;
        let unread = inbox(world, device.app, device.user).map(|inbox| inbox.unread);
        let badge_fits = stretch.records.is_empty() || unread == Some(mirror.unread);
        holds(badge_fits, "every_device_converges", || {
            format!("a device of {} shows {} unread messages of {unread:?}", device.user, mirror.unread)
        })?;
        let state = &mut *world.stage.lock();
        for peer in users_of(world, device.app) {
            conversation_converges(&state.ledger, device, peer, mirror.chats.get(&peer), is_whole)?;
        }
        if is_whole {
            state.counts.mirrors_compared += 1;
            relations_converge(&state.ledger, device, &mirror)?;
        }
    }
    Ok(())
}

fn conversation_converges(
    ledger: &Ledger,
    device: &Device,
    peer: UserId,
    chatted: Option<&Chatted>,
    is_whole: bool,
) -> Checked {
    let user = device.user;
    let talk = ledger.talk(&ConversationId::new(device.app, user, peer));
    let nothing = Chatted::default();
    let chatted = chatted.unwrap_or(&nothing);
    let shown = talk.map_or_else(Vec::new, |talk| talk.shown(&user));
    // What is put into the history only is found there, and pushed to nobody.
    let is_silent = |message: &Message| message.delivery.imported && message.delivery.no_unread;
    let pushed = shown.into_iter().filter(|message| !is_silent(message));
    let as_seen = |message: &Message| (message.seq, as_seen_by(&user, message));
    let expected: BTreeMap<u64, Message> = pushed.map(as_seen).collect();
    let known: BTreeMap<u64, Message> = chatted.messages.values().map(|message| as_seen(message)).collect();
    let fits = if is_whole {
        known == expected
    } else {
        known.iter().all(|(seq, message)| expected.get(seq) == Some(message))
    };
    holds(fits, "every_device_converges", || {
        format!("a device of {user} has {known:?} of {peer}, and the history {expected:?}")
    })?;
    if !is_whole {
        return Ok(());
    }
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
