//! People, what they are to one another, and the sessions that rest on their credentials.

use super::look::{users, users_of};
use crate::device::Device;
use crate::ledger::{Bond, Resident};
use crate::report::{Checked, holds};
use crate::store::at_once;
use crate::world::World;
use chat::person::{Portrait, Tie};
use chat::port::{ListQuery, Listed, Store, TieList};
use chat::{AppId, UserId};

const ALWAYS: &str = "the model is always there";

/// Profiles, mutes and counts are what was committed.
pub(crate) fn people_are_as_committed(world: &World) -> Checked {
    for (app, user) in users(world) {
        let portrait = at_once(world.model.people(app, vec![user])).expect(ALWAYS).remove(0);
        let state = world.stage.lock();
        let (ledger, people) = (&state.ledger, &state.ledger.people);
        let same = match (people.resident(app, user), &portrait) {
            (None, None) => true,
            (Some(resident), Some(portrait)) => {
                let person = &portrait.person;
                let counted = [person.friends, person.blocked, person.asked, person.pinned];
                let expected =
                    [Bond::Friend, Bond::Blocked, Bond::AskedBy].map(|bond| people.count(bond, app, user));
                let pinned = ledger.pinned(app, user) as u32;
                is_portrayed(resident, portrait) && counted[..3] == expected && counted[3] == pinned
            }
            _ => false,
        };
        holds(same, "people_are_as_committed", || {
            format!("{user} of app {app} is kept as {portrait:?}, not as {:?}", people.resident(app, user))
        })?;
        let revoked_s = at_once(world.model.revoked_s(app, user)).expect(ALWAYS);
        let expected = people.revoked_s(app, user);
        holds(revoked_s == expected, "people_are_as_committed", || {
            format!("credentials of {user} are worthless up to {revoked_s}, not {expected}")
        })?;
    }
    Ok(())
}

fn is_portrayed(resident: &Resident, portrait: &Portrait) -> bool {
    let person = &portrait.person;
    resident.profile == portrait.profile
        && resident.muted_until_s == person.muted_until_s
        && resident.receives == person.receives
        && resident.tokens == portrait.tokens
}

/// Friends, blocklists and requests are what was committed, for every pair and in every list.
pub(crate) fn relations_are_as_committed(world: &World) -> Checked {
    for (app, user) in users(world) {
        let mut lists =
            [TieList::Friends, TieList::Blocked, TieList::Requests].map(|list| (list, Vec::new()));
        for peer in users_of(world, app) {
            let ties = at_once(world.model.ties(app, vec![[user, peer], [peer, user]])).expect(ALWAYS);
            let [tie, back] = &ties[..] else { unreachable!("there is a tie for each pair") };
            let is = |bond| world.stage.lock().ledger.people.is(bond, app, user, peer);
            let same = tie.friend.is_some() == is(Bond::Friend)
                && tie.blocked_s.is_some() == is(Bond::Blocked)
                && tie.request.is_some() == is(Bond::AskedBy)
                && tie.kept_by_peer == back.keeps_something();
            holds(same, "relations_are_as_committed", || {
                format!("{user} of app {app} keeps {tie:?} of {peer}, who keeps {back:?}")
            })?;
            for (list, peers) in &mut lists {
                if list.has(tie) {
                    peers.push(peer);
                }
            }
        }
        for (list, mut expected) in lists {
            expected.sort_unstable();
            let found = listed(world, app, user, list);
            holds(found == expected, "relations_are_as_committed", || {
                format!("{user} of app {app} has {found:?} as {list:?}, not {expected:?}")
            })?;
        }
    }
    Ok(())
}

/// All pages of a list.
fn listed(world: &World, app: AppId, user: UserId, list: TieList) -> Vec<UserId> {
    let mut found: Vec<UserId> = Vec::new();
    loop {
        let query = ListQuery { app, user, list, after: found.last().copied(), skip: 0, limit: 2 };
        let page = at_once(world.model.listed(query)).expect(ALWAYS);
        if page.is_empty() {
            return found;
        }
        let is_of_list = |listed: &Listed| -> bool { list.has(&Tie::clone(&listed.tie)) };
        assert!(page.iter().all(is_of_list), "a list has only what belongs to it");
        found.extend(page.iter().map(|listed| listed.peer));
    }
}

/// Also where word of it was lost.
pub(crate) fn no_session_outlives_its_credential(world: &World) -> Checked {
    let outlived = worthless_credentials(world).next();
    holds(outlived.is_none(), "no_session_outlives_its_credential", || {
        format!("a session goes on for {:?}", outlived.map(|device| (device.user, device.issued_s)))
    })
}

pub(crate) fn worthless_credentials(world: &World) -> impl Iterator<Item = &Device> {
    let online = world.devices.iter().filter(|device| device.online.is_some());
    online.filter(|device| {
        let revoked_s = at_once(world.model.revoked_s(device.app, device.user)).expect(ALWAYS);
        device.issued_s <= revoked_s
    })
}
