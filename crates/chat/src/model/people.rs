//! Accounts, what is kept of people, and what they are to one another.

use super::{AccountState, State};
use crate::contact::Notes;
use crate::conversation::{Change, Inbox};
use crate::effect::{Effects, Entry, Told};
use crate::event::{EventDraft, Origin};
use crate::guard::SendKey;
use crate::id::{AppId, ConversationId, UserId};
use crate::message::Message;
use crate::person::{ChangePerson, Listed, PersonChange, PersonChanged, Portrait, Tie, change_person};
use crate::port::{Account, ListQuery};
use crate::relate::{self, Party, Relate, Related};
use std::sync::Arc;

/// When facts are recorded, and who caused them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cause {
    now_ms: u64,
    origin: Option<Origin>,
}

impl Cause {
    /// Of what has no facts.
    pub(super) const NONE: Self = Self { now_ms: 0, origin: None };

    pub(super) fn of(now_ms: u64, origin: Origin) -> Self {
        Self { now_ms, origin: Some(origin) }
    }
}

impl State {
    pub(super) fn import_accounts(&mut self, app: AppId, accounts: Vec<Account>, now_ms: u64) {
        for account in accounts {
            let known = self.accounts.entry((app, account.user)).or_insert_with(AccountState::none);
            if !known.exists {
                if !account.may_begin(known.portrait.person.revoked_s) {
                    continue;
                }
                let epoch = now_ms.max(known.inbox.epoch + 1);
                // The portrait of one who left is empty but for the revocation, which outlasts the account.
                *known = AccountState { exists: true, inbox: Inbox::new(epoch), ..known.clone() };
            }
            known.portrait.profile.extend(account.profile);
        }
    }

    pub(super) fn delete_account(&mut self, app: AppId, user: UserId, now_ms: u64) -> bool {
        if !self.exists(app, user) {
            return false;
        }
        let peers: Vec<UserId> = self.ties_of(app, user).map(|(peer, _)| peer).collect();
        for peer in peers {
            self.ties.remove(&(app, user, peer));
            let mut tie = self.ties.remove(&(app, peer, user)).unwrap_or_default();
            if !self.exists(app, peer) {
                continue;
            }
            for how in relate::sever(&mut self.account(app, peer).portrait.person, &mut tie) {
                let change = Change::Relation { peer: user, how };
                self.log(app, Entry { user: peer, change, unread_by: 0 }, None);
            }
        }
        let account = self.account(app, user);
        let inbox = Inbox { unread: 0, ..account.inbox };
        let portrait = Portrait { person: account.portrait.person.gone(now_ms), ..Portrait::default() };
        *account = AccountState { exists: false, inbox, log: Vec::new(), portrait };
        self.leave_conversations(app, user);
        true
    }

    fn leave_conversations(&mut self, app: AppId, user: UserId) {
        let is_theirs = |id: &&ConversationId| id.app == app && (id.low == user || id.high == user);
        let theirs: Vec<ConversationId> = self.conversations.keys().filter(is_theirs).copied().collect();
        for id in theirs {
            if self.exists(app, id.peer(&user)) {
                let talk = self.conversations.get_mut(&id).expect("found above");
                let last = talk.conversation.last();
                talk.conversation.view(id.side(&user)).leave(last);
                talk.notes[id.side(&user) as usize] = Notes::default();
                continue;
            }
            // Nobody is left who could see it.
            let talk = self.conversations.remove(&id).expect("found above");
            for message in talk.messages {
                self.guard.forget(&SendKey::of(app, &message));
            }
        }
    }

    pub(super) fn change_person(&mut self, change: &ChangePerson) -> PersonChanged {
        let (app, user) = (change.app, change.user);
        if !self.exists(app, user) {
            return PersonChanged::UnknownAccount;
        }
        let mut portrait = self.account(app, user).portrait.clone();
        let effects = match change_person(change, &mut portrait) {
            Ok(effects) => effects,
            Err(refusal) => return PersonChanged::Refused(refusal),
        };
        if let PersonChange::SetToken(token) = &change.change {
            let others = self.accounts.iter_mut().filter(|((other_app, _), _)| *other_app == app);
            for (_, other) in others {
                other.portrait.tokens.retain(|known| !known.is_same(token));
            }
        }
        self.account(app, user).portrait = portrait;
        PersonChanged::Done(self.publish(
            app,
            effects,
            None,
            Cause { now_ms: change.now_ms, origin: change.origin() },
        ))
    }

    pub(super) fn people(&self, app: AppId, users: &[UserId]) -> Vec<Option<Portrait>> {
        let portrait = |user: &UserId| {
            let account = self.accounts.get(&(app, *user)).filter(|account| account.exists);
            account.map(|account| account.portrait.clone())
        };
        users.iter().map(portrait).collect()
    }

    pub(super) fn revoked_s(&self, app: AppId, user: UserId) -> u64 {
        self.accounts.get(&(app, user)).map_or(0, |account| account.portrait.person.revoked_s)
    }

    pub(super) fn relate(&mut self, wanted: &Relate) -> Related {
        let Relate { app, from, to, now_ms, origin, .. } = *wanted;
        let (mut here, mut there) = (self.party(app, from, to), self.party(app, to, from));
        let outcome = match relate::relate(wanted, &mut here, &mut there) {
            Ok(outcome) => outcome,
            Err(refusal) => return Related::Refused(refusal),
        };
        self.keep(app, from, to, here);
        self.keep(app, to, from, there);
        let told = self.publish(app, outcome.effects, None, Cause::of(now_ms, origin));
        if outcome.pending { Related::Pending(told) } else { Related::Done(told) }
    }

    fn party(&self, app: AppId, user: UserId, peer: UserId) -> Party {
        let account = self.accounts.get(&(app, user)).filter(|account| account.exists);
        Party {
            person: account.map(|account| account.portrait.person.clone()),
            tie: self.tie(app, user, peer),
        }
    }

    fn keep(&mut self, app: AppId, user: UserId, peer: UserId, party: Party) {
        if let Some(person) = party.person {
            self.account(app, user).portrait.person = person;
        }
        if party.tie.is_nothing() {
            self.ties.remove(&(app, user, peer));
        } else {
            self.ties.insert((app, user, peer), party.tie);
        }
    }

    pub(super) fn tie(&self, app: AppId, user: UserId, peer: UserId) -> Tie {
        self.ties.get(&(app, user, peer)).cloned().unwrap_or_default()
    }

    fn ties_of(&self, app: AppId, user: UserId) -> impl Iterator<Item = (UserId, &Tie)> {
        let is_theirs =
            move |(owner_app, owner, _): &(AppId, UserId, UserId)| *owner_app == app && *owner == user;
        let theirs = self.ties.iter().filter(move |(key, _)| is_theirs(key));
        theirs.map(|((_, _, peer), tie)| (*peer, tie))
    }

    pub(super) fn listed(&self, query: &ListQuery) -> Vec<Listed> {
        let mut listed: Vec<Listed> = self
            .ties_of(query.app, query.user)
            .filter(|(peer, tie)| query.list.has(tie) && query.after.is_none_or(|after| after < *peer))
            .map(|(peer, tie)| Listed { peer, tie: tie.clone() })
            .collect();
        listed.sort_unstable_by_key(|listed| listed.peer);
        listed.into_iter().skip(query.skip).take(query.limit).collect()
    }

    /// Puts effects into the logs of those who have an account, and into the event log.
    pub(super) fn publish(
        &mut self,
        app: AppId,
        effects: Effects,
        message: Option<&Arc<Message>>,
        cause: Cause,
    ) -> Told {
        let mut told = Told::default();
        for entry in effects.entries {
            if self.exists(app, entry.user) {
                let hint = self.log(app, entry, message);
                told.hints.push((entry.user, hint));
            }
        }
        for fact in effects.facts {
            let origin = cause.origin.expect("a change with facts says who caused it");
            let draft = EventDraft::new(app, cause.now_ms, origin, fact);
            told.events.push(self.put_event(draft));
        }
        told
    }
}
