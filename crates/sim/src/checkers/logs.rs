//! Every user has one whole log, every device converges on it, and every count is what the log says.

use super::inbox;
use crate::device::Device;
use crate::ledger::{Life, Stretch};
use crate::report::{Checked, holds};
use crate::store::at_once;
use crate::world::World;
use chat::port::{Changes, LogRecord, Store};
use chat::{Change, Position, UserId};
use std::collections::BTreeMap;

/// The last entry that a device received is the one its log has at that place. Asked at every entry, so that a
/// failure shows what led to it.
pub(crate) fn devices_receive_the_whole_log(world: &World, device: &Device) -> Checked {
    let Some(stretch) = device.stretches.last() else {
        return Ok(());
    };
    let offset = stretch.position().offset;
    let state = world.stage.lock();
    let expected = state.ledger.log(device.life(stretch.epoch)).get(offset as usize - 1);
    holds(stretch.records.last() == expected, "devices_receive_the_whole_log", || {
        let received = stretch.records.last();
        format!("a device of {} has received {received:?} as entry {offset}, not {expected:?}", device.user)
    })
}

/// Every stretch a device ever received is a part of the log, and the last one reaches its end.
pub(crate) fn every_device_has_caught_up(world: &World) -> Checked {
    for device in &world.devices {
        for stretch in &device.stretches {
            holds(is_part_of_log(world, device, stretch), "devices_receive_the_whole_log", || {
                format!("a device of {} has received {stretch:?}", device.user)
            })?;
        }
        holds(is_caught_up(world, device), "every_device_has_caught_up", || {
            let position = device.stretches.last().map(Stretch::position);
            let end = inbox(world, device.app, device.user);
            format!("a device of {} stands at {position:?}, and its log ends at {end:?}", device.user)
        })?;
    }
    Ok(())
}

pub(crate) fn is_caught_up(world: &World, device: &Device) -> bool {
    let Some(session) = device.online.as_ref().filter(|session| !session.reading) else {
        return false;
    };
    let position = device.stretches.last().map(Stretch::position);
    let end = inbox(world, device.app, device.user).map(|inbox| inbox.position());
    position == end && position == Some(session.follower.position())
}

fn is_part_of_log(world: &World, device: &Device, stretch: &Stretch) -> bool {
    let state = world.stage.lock();
    let log = state.ledger.log(device.life(stretch.epoch));
    let (start, end) = (stretch.start as usize, stretch.position().offset as usize);
    stretch.records.is_empty() || log.get(start..end) == Some(&stretch.records[..])
}

/// The store's log is what its commits said it would be, numbered without a gap.
pub(crate) fn logs_are_whole(world: &World) -> Checked {
    for (app, user) in users(world) {
        let Some(inbox) = inbox(world, app, user) else {
            return holds(false, "logs_are_whole", || format!("{user} of app {app} has not returned"));
        };
        let beginning = Position { epoch: inbox.epoch, offset: 0 };
        let changes = at_once(world.model.changes(app, user, beginning, usize::MAX));
        let state = world.stage.lock();
        let expected = state.ledger.log(Life { app, user, epoch: inbox.epoch });
        let whole = matches!(&changes, Ok(Changes::Records(records)) if records == expected);
        let numbered = (1..).zip(expected).all(|(offset, record)| record.entry.offset == offset);
        let ends = expected.len() as u64 == inbox.offset;
        holds(whole && numbered && ends, "logs_are_whole", || {
            format!("{user} of app {app} at {inbox:?}: the store has {changes:?}, and committed {expected:?}")
        })?;
    }
    Ok(())
}

/// A replay of the log comes to the same counts, at every entry and at its end.
pub(crate) fn counts_are_exact(world: &World) -> Checked {
    let mut replayed: BTreeMap<Life, BTreeMap<UserId, u32>> = BTreeMap::new();
    for (life, log) in &world.stage.lock().ledger.logs {
        let unread = replayed.entry(*life).or_default();
        for record in log {
            replay(life.user, unread, record);
            let total: u32 = unread.values().sum();
            holds(total == record.entry.unread, "counts_are_exact", || {
                format!("{} has {total} unread by its log, and {record:?} says otherwise", life.user)
            })?;
        }
    }
    for (app, user) in users(world) {
        let Some(inbox) = inbox(world, app, user) else {
            continue;
        };
        let unread = replayed.remove(&Life { app, user, epoch: inbox.epoch }).unwrap_or_default();
        let peers: Vec<UserId> = users(world).filter(|(of, _)| *of == app).map(|(_, peer)| peer).collect();
        let expected: Vec<u32> = peers.iter().map(|peer| unread.get(peer).copied().unwrap_or(0)).collect();
        let counted = at_once(world.model.unread(app, user, peers)).expect("the model is always there");
        let exact = counted == expected && counted.iter().sum::<u32>() == inbox.unread;
        holds(exact, "counts_are_exact", || {
            format!("{user} has {counted:?} unread, {} in all, and {expected:?} by its log", inbox.unread)
        })?;
    }
    Ok(())
}

fn replay(user: UserId, unread: &mut BTreeMap<UserId, u32>, record: &LogRecord) {
    match (record.entry.change, &record.message) {
        (Change::Message { peer, .. }, Some(message)) => {
            let counts = message.to == user && message.from != user && !message.delivery.no_unread;
            *unread.entry(peer).or_default() += u32::from(counts);
        }
        (Change::Read { reader, peer, .. }, _) if reader == user => {
            unread.insert(peer, 0);
        }
        _ => {}
    }
}

fn users(world: &World) -> impl Iterator<Item = (chat::AppId, UserId)> {
    world.plan.apps.iter().flat_map(|app| app.users.iter().map(|user| (app.id, *user)))
}
