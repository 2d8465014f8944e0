//! Every count is what the messages and the views of their people come to.

use super::look::{inbox, unread, users, users_of, whole_log};
use crate::mirror::Mirror;
use crate::report::{Checked, holds};
use crate::store::at_once;
use crate::world::World;
use chat::contact::{Contact, ContactDetails, ContactsQuery};
use chat::port::Store;
use chat::{AppId, ConversationId, UserId};
use std::cmp::Reverse;
use std::sync::Arc;

/// A page of a list, so small that most times are spread over several.
const PAGE_LEN: usize = 1;

/// The store's counts, for every pair and in all, are those of the messages that wait to be read; and a replay of the
/// log alone comes to the same.
pub(crate) fn counts_are_exact(world: &World) -> Checked {
    for (app, user) in users(world) {
        let Some(inbox) = inbox(world, app, user) else {
            continue;
        };
        let peers = users_of(world, app);
        let counted = unread(world, app, user, &peers);
        let expected: Vec<u32> = peers.iter().map(|peer| waiting(world, app, user, *peer)).collect();
        let exact = counted == expected && counted.iter().sum::<u32>() == inbox.unread;
        holds(exact, "counts_are_exact", || {
            format!("{user} has {counted:?} unread, {} in all, and {expected:?} wait", inbox.unread)
        })?;
        let log = whole_log(world, app, user, inbox.epoch).map(|log| Mirror::of(&user, &log));
        let by_log = |peer| log.as_ref().map(|log| log.chats.get(peer).map_or(0, |chatted| chatted.unread));
        let replayed: Vec<Option<i64>> = peers.iter().map(by_log).collect();
        let same = replayed.iter().zip(&counted).all(|(by_log, count)| *by_log == Some(i64::from(*count)));
        holds(same, "counts_are_exact", || {
            format!("{user} has {counted:?} unread, and {replayed:?} by the log")
        })?;
    }
    Ok(())
}

fn waiting(world: &World, app: AppId, user: UserId, peer: UserId) -> u32 {
    let state = world.stage.lock();
    state.ledger.talk(&ConversationId::new(app, user, peer)).map_or(0, |talk| talk.unread(&user))
}

/// Page by page, everybody's list has every conversation that shows a message or is pinned, once, newest first.
pub(crate) fn lists_show_every_conversation(world: &World) -> Checked {
    for (app, user) in users(world).filter(|(app, user)| inbox(world, *app, *user).is_some()) {
        let expected = expected_list(world, app, user);
        let mut query = ContactsQuery {
            app,
            owner: user,
            pinned: None,
            with_empty: true,
            unread_only: false,
            with_details: true,
            after: None,
            limit: PAGE_LEN,
        };
        let mut found = Vec::new();
        for _ in 0..=expected.len() {
            let page = at_once(world.model.contacts(query)).expect("the model is always there");
            let page = page.expect("the account exists");
            found.extend(page.contacts);
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        holds(found == expected, "lists_show_every_conversation", || {
            format!("{user} of app {app} finds {found:?}, not {expected:?}")
        })?;
    }
    Ok(())
}

fn expected_list(world: &World, app: AppId, user: UserId) -> Vec<Contact> {
    let state = world.stage.lock();
    let theirs = state.ledger.current().filter(|talk| talk.id.app == app && talk.is_of(&user));
    let contacts = theirs.map(|talk| {
        let (peer, seen) = (talk.id.peer(&user), talk.side(&user));
        let tie =
            at_once(world.model.ties(app, vec![[user, peer]])).expect("the model is always there").remove(0);
        let details = ContactDetails {
            last: talk.listed(&user).cloned().map(Arc::new),
            notes: talk.notes(&user).clone(),
            remark: tie.friend.map(|friend| friend.remark).unwrap_or_default(),
        };
        let contact = Contact {
            peer,
            time_s: seen.head.map_or(0, |(time_s, _)| time_s),
            pinned_ms: seen.pinned_ms,
            unread: talk.unread(&user),
            notify: seen.notify,
            read_until_s: seen.read_until_s,
            peer_read_until_s: talk.side(&peer).read_until_s,
            details,
        };
        (seen.head.is_some(), contact)
    });
    let is_shown = |(listed, contact): &(bool, Contact)| *listed || contact.pinned_ms > 0;
    let mut contacts: Vec<Contact> = contacts.filter(is_shown).map(|(_, contact)| contact).collect();
    contacts.sort_unstable_by_key(|contact| (Reverse(contact.time_s), contact.peer));
    contacts
}
