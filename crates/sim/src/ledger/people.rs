//! Who has an account, and what people are to one another.

use super::{Ledger, News};
use crate::report::{Checked, holds};
use chat::conversation::RelationNews;
use chat::event::{ProfileChange, ProfileValue};
use chat::person::{
    Admission, ChangePerson, PUSH_TOKENS_LEN_MAX, PersonChange, PersonChanged, ProfileSettings, PushToken,
};
use chat::port::Terms;
use chat::{AppId, Change, ConversationId, Fact, Refusal, UserId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(crate) struct People {
    residents: BTreeMap<(AppId, UserId), Resident>,
    /// Outlasts the account.
    revoked_s: BTreeMap<(AppId, UserId), u64>,
    /// What the first user keeps of the second.
    pub(super) bonds: BTreeSet<(AppId, UserId, UserId, Bond)>,
}

/// Somebody with an account.
#[derive(Debug, Clone)]
pub(crate) struct Resident {
    epoch: u64,
    pub(crate) muted_until_s: u64,
    pub(crate) receives: bool,
    pub(super) admission: Admission,
    pub(super) may_ask: bool,
    pub(crate) profile: BTreeMap<String, ProfileValue>,
    pub(crate) tokens: Vec<PushToken>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bond {
    Blocked,
    Friend,
    /// The other wants to be a friend.
    AskedBy,
}

/// What stands between a sender and a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Nothing,
    /// The recipient does not want to get anything.
    Unwanted,
    /// The sender is shown success, and the backend the truth.
    Pretended(Refusal),
    Against(Refusal),
}

impl Standing {
    pub(super) fn hides(self) -> bool {
        matches!(self, Self::Unwanted | Self::Pretended(_))
    }
}

impl People {
    pub(crate) fn has(&self, app: AppId, user: UserId) -> bool {
        self.residents.contains_key(&(app, user))
    }

    pub(super) fn epoch(&self, app: AppId, user: UserId) -> Option<u64> {
        self.residents.get(&(app, user)).map(|resident| resident.epoch)
    }

    pub(crate) fn resident(&self, app: AppId, user: UserId) -> Option<&Resident> {
        self.residents.get(&(app, user))
    }

    pub(crate) fn revoked_s(&self, app: AppId, user: UserId) -> u64 {
        self.revoked_s.get(&(app, user)).copied().unwrap_or(0)
    }

    pub(crate) fn is(&self, bond: Bond, app: AppId, user: UserId, peer: UserId) -> bool {
        self.bonds.contains(&(app, user, peer, bond))
    }

    /// Whom a user keeps so.
    pub(crate) fn peers(&self, bond: Bond, app: AppId, user: UserId) -> impl Iterator<Item = UserId> {
        let theirs =
            self.bonds.iter().filter(move |(of, owner, _, how)| (*of, *owner, *how) == (app, user, bond));
        theirs.map(|(_, _, peer, _)| *peer)
    }

    /// Who keeps whom so.
    pub(crate) fn bound(&self, bond: Bond, app: AppId) -> Vec<(UserId, UserId)> {
        let bound = self.bonds.iter().filter(|(of, _, _, how)| (*of, *how) == (app, bond));
        bound.map(|(_, user, peer, _)| (*user, *peer)).collect()
    }

    pub(crate) fn count(&self, bond: Bond, app: AppId, user: UserId) -> u32 {
        self.peers(bond, app, user).count() as u32
    }

    /// `None` when one of the two has no account.
    pub(super) fn standing(
        &self,
        (app, [from, to]): (AppId, [UserId; 2]),
        terms: Terms,
        discards: bool,
        now_ms: u64,
    ) -> Option<Standing> {
        let (sender, recipient) = (self.resident(app, from)?, self.resident(app, to)?);
        if let Some(device) = terms.device {
            let is_friend = |user, peer| self.is(Bond::Friend, app, user, peer);
            let refusal = if now_ms / 1000 < sender.muted_until_s {
                Some(Refusal::SenderMuted)
            } else if self.is(Bond::Blocked, app, to, from) {
                if !device.tells_blocked {
                    return Some(Standing::Pretended(Refusal::Blocked));
                }
                Some(Refusal::Blocked)
            } else if discards {
                return Some(Standing::Pretended(Refusal::Blocked));
            } else {
                match [is_friend(from, to), is_friend(to, from)] {
                    _ if !device.friends_only => None,
                    [true, true] => None,
                    [true, false] => Some(Refusal::NotInRecipientsFriends),
                    [false, true] => Some(Refusal::NotInSendersFriends),
                    [false, false] => Some(Refusal::NotFriends),
                }
            };
            if let Some(refusal) = refusal {
                return Some(Standing::Against(refusal));
            }
        }
        let unwanted = terms.heeds_recipient && !recipient.receives;
        Some(if unwanted { Standing::Unwanted } else { Standing::Nothing })
    }

    /// What is worthless stays so, also when an older wish is carried out later.
    fn revoke(&mut self, who: (AppId, UserId), until_s: u64) {
        let revoked_s = self.revoked_s.entry(who).or_default();
        *revoked_s = until_s.max(*revoked_s);
    }

    /// Nobody else of the app is reached by it any more.
    fn set_token(&mut self, app: AppId, user: UserId, token: &PushToken) {
        for ((of, owner), resident) in &mut self.residents {
            let is_theirs = *owner == user;
            let goes =
                |known: &PushToken| known.is_same(token) || (is_theirs && known.device == token.device);
            resident.tokens.retain(|known| *of != app || !goes(known));
        }
        let resident = self.residents.get_mut(&(app, user)).expect("only who is there sets a token");
        resident.tokens.push(token.clone());
        if resident.tokens.len() > PUSH_TOKENS_LEN_MAX {
            resident.tokens.remove(0);
        }
    }

    fn unbind(&mut self, unbound: impl Fn(UserId, UserId, Bond) -> bool, app: AppId) {
        self.bonds.retain(|(of, user, peer, bond)| *of != app || !unbound(*user, *peer, *bond));
    }
}

impl Ledger {
    /// Somebody has an account, perhaps for long.
    pub(crate) fn arrived(&mut self, app: AppId, user: UserId, epoch: u64) -> Checked {
        let latest = self.logs.keys().filter(|life| (life.app, life.user) == (app, user));
        let latest = latest.map(|life| life.epoch).max();
        let resident = self.people.residents.entry((app, user)).or_insert(Resident {
            epoch,
            muted_until_s: 0,
            receives: true,
            admission: Admission::Anyone,
            may_ask: true,
            profile: BTreeMap::new(),
            tokens: Vec::new(),
        });
        let fits = resident.epoch == epoch && latest.is_none_or(|latest| latest <= epoch);
        holds(fits, "logs_are_whole", || format!("{user} of app {app} begins epoch {epoch} after {latest:?}"))
    }

    /// Everything of theirs is gone. Friends find out from their logs, without being told.
    pub(crate) fn left(&mut self, app: AppId, user: UserId, now_ms: u64, answer: bool) -> Checked {
        let existed = self.people.residents.remove(&(app, user)).is_some();
        holds(existed == answer, "refusals_are_true", || {
            format!("{user} of app {app} had an account: {existed}, and its end was answered {answer}")
        })?;
        if !existed {
            return Ok(());
        }
        self.people.revoke((app, user), (now_ms / 1000).saturating_sub(1));
        self.due.revoked += 1;
        let bonds = self.people.bonds.clone();
        self.people.unbind(|one, other, _| one == user || other == user, app);
        // Backwards, an unfriending comes before an unblocking, and before both comes what was asked.
        for (of, owner, peer, bond) in bonds.into_iter().rev() {
            let how = match bond {
                Bond::Friend => RelationNews::Unfriended,
                Bond::Blocked => RelationNews::Unblocked,
                Bond::AskedBy => RelationNews::Unasked,
            };
            if (of, peer) == (app, user) && self.people.has(app, owner) {
                self.enter((app, owner), Change::Relation { peer: user, how }, None, None)?;
            }
        }
        let is_theirs = |id: &ConversationId| id.app == app && (id.low == user || id.high == user);
        for id in self.current.keys().copied().filter(is_theirs).collect::<Vec<_>>() {
            if self.people.has(app, id.peer(&user)) {
                self.talk_mut(&id).expect("it is in the list").leave(&user);
            } else {
                self.current.remove(&id);
            }
        }
        Ok(())
    }

    pub(crate) fn person_changed(&mut self, wanted: &ChangePerson, answer: &PersonChanged) -> Checked {
        let ChangePerson { app, user, now_ms, .. } = *wanted;
        let known = self.people.residents.get_mut(&(app, user));
        let PersonChanged::Done(told) = answer else {
            let fits = match (answer, known) {
                (PersonChanged::UnknownAccount, known) => known.is_none(),
                (_, Some(resident)) => is_full(resident, &wanted.change),
                (_, None) => false,
            };
            return holds(fits, "refusals_are_true", || format!("{wanted:?} came to {answer:?}"));
        };
        let fits = known.as_ref().is_some_and(|resident| !is_full(resident, &wanted.change));
        let Some(resident) = known.filter(|_| fits) else {
            return holds(false, "refusals_are_true", || format!("{wanted:?} came to {answer:?}"));
        };
        let (mut entries, mut facts) = (Vec::new(), Vec::new());
        match &wanted.change {
            PersonChange::Profile { items, settings, operator, .. } => {
                let ProfileSettings { admission, may_ask, receives } = *settings;
                resident.profile.extend(items.iter().cloned());
                resident.admission = admission.unwrap_or(resident.admission);
                resident.may_ask = may_ask.unwrap_or(resident.may_ask);
                resident.receives = receives.unwrap_or(resident.receives);
                entries.push((user, Change::Profile));
                facts.push(Fact::Profile(ProfileChange { operator: *operator, user, items: items.clone() }));
            }
            PersonChange::Mute { until_s, .. } => {
                resident.muted_until_s = until_s.unwrap_or(resident.muted_until_s);
            }
            PersonChange::Revoke => {
                resident.tokens.clear();
                self.people.revoke((app, user), now_ms / 1000);
                self.due.revoked += 1;
            }
            PersonChange::SetToken(token) => self.people.set_token(app, user, token),
            PersonChange::DropToken { device, .. } => resident.tokens.retain(|known| known.device != *device),
            PersonChange::RenameGroup { .. }
            | PersonChange::Reach { .. }
            | PersonChange::AddGroups { .. }
            | PersonChange::RemoveGroups { .. } => {}
        }
        self.tell(app, News { entries, named: None, facts }, told)
    }
}

fn is_full(resident: &Resident, change: &PersonChange) -> bool {
    let PersonChange::Profile { items, tags_max, .. } = change else { return false };
    let tags: BTreeSet<&String> = resident.profile.keys().chain(items.iter().map(|(tag, _)| tag)).collect();
    tags.len() > *tags_max
}
