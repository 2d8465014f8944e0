//! Every user has one whole log, and every device receives all of it.

use super::look::{inbox, users, whole_log};
use crate::device::Device;
use crate::ledger::Life;
use crate::mirror::Stretch;
use crate::report::{Checked, holds};
use crate::world::World;

/// The last entry that a device received is the one its log has at that place. Asked at every entry, so that a
/// failure shows what led to it.
pub(crate) fn devices_receive_the_whole_log(world: &World, device: &Device) -> Checked {
    let Some(stretch) = device.stretches.last() else {
        return Ok(());
    };
    let offset = stretch.position().offset;
    let state = world.stage.lock();
    let expected = state.ledger.log(device.life(stretch.epoch)).get(offset as usize - 1);
    let received = stretch.records.last();
    let fits = expected.zip(received).is_some_and(|(noted, record)| state.ledger.fits(noted, record));
    holds(fits, "devices_receive_the_whole_log", || {
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
    device.mirror.errands.is_empty() && position == end && position == Some(session.follower.position())
}

fn is_part_of_log(world: &World, device: &Device, stretch: &Stretch) -> bool {
    let state = world.stage.lock();
    let log = state.ledger.log(device.life(stretch.epoch));
    let (start, end) = (stretch.start as usize, stretch.position().offset as usize);
    let fits = |(noted, record)| state.ledger.fits(noted, record);
    let part = log.get(start..end).filter(|part| part.iter().zip(&stretch.records).all(fits));
    stretch.records.is_empty() || part.is_some()
}

/// The store's log is what its commits said it would be, numbered without a gap.
pub(crate) fn logs_are_whole(world: &World) -> Checked {
    for (app, user) in users(world) {
        let Some(inbox) = inbox(world, app, user) else {
            return holds(false, "logs_are_whole", || format!("{user} of app {app} has not returned"));
        };
        let log = whole_log(world, app, user, inbox.epoch);
        let state = world.stage.lock();
        let expected = state.ledger.log(Life { app, user, epoch: inbox.epoch });
        let fits = |(noted, record)| state.ledger.fits(noted, record);
        let whole = log.as_ref().is_some_and(|log| {
            log.records.len() == expected.len() && expected.iter().zip(&log.records).all(fits)
        });
        holds(whole && expected.len() as u64 == inbox.offset, "logs_are_whole", || {
            format!("{user} of app {app} at {inbox:?}: the store has {log:?}, and committed {expected:?}")
        })?;
    }
    Ok(())
}
