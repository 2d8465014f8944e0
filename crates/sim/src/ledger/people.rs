//! Who has an account, and what people are to one another.

use super::Ledger;
use crate::report::{Checked, holds};
use chat::conversation::RelationNews;
use chat::event::{Befriended, ProfileChange, ProfileValue, Relation, RelationChange};
use chat::person::{Admission, ChangePerson, PersonChange, PersonChanged, ProfileSettings};
use chat::port::{Relate, Related, Terms};
use chat::relate::{Approach, NotRelated};
use chat::{AppId, Change, ConversationId, Fact, Refusal, UserId};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(crate) struct People {
    residents: BTreeMap<(AppId, UserId), Resident>,
    /// Outlasts the account.
    revoked_s: BTreeMap<(AppId, UserId), u64>,
    /// What the first user keeps of the second.
    bonds: BTreeSet<(AppId, UserId, UserId, Bond)>,
}

/// Somebody with an account.
#[derive(Debug, Clone)]
pub(crate) struct Resident {
    epoch: u64,
    pub(crate) muted_until_s: u64,
    pub(crate) receives: bool,
    admission: Admission,
    may_ask: bool,
    pub(crate) profile: BTreeMap<String, ProfileValue>,
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

    pub(crate) fn count(&self, bond: Bond, app: AppId, user: UserId) -> u32 {
        self.peers(bond, app, user).count() as u32
    }

    /// `None` when one of the two has no account.
    pub(super) fn standing(
        &self,
        app: AppId,
        [from, to]: [UserId; 2],
        terms: Terms,
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
        let revoked_s = self.people.revoked_s.entry((app, user)).or_default();
        *revoked_s = (*revoked_s).max((now_ms / 1000).saturating_sub(1));
        let bonds = self.people.bonds.clone();
        self.people.unbind(|one, other, _| one == user || other == user, app);
        for (of, owner, peer, bond) in bonds.into_iter().rev() {
            let how = match bond {
                Bond::Friend => RelationNews::Unfriended,
                Bond::Blocked => RelationNews::Unblocked,
                Bond::AskedBy => continue,
            };
            if (of, peer) == (app, user) && self.people.has(app, owner) {
                self.enter(app, owner, Change::Relation { peer: user, how }, None, None)?;
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
                self.people.revoked_s.insert((app, user), now_ms / 1000);
            }
            PersonChange::Reach(_) | PersonChange::AddGroups { .. } | PersonChange::RemoveGroups { .. } => {}
        }
        self.tell(app, entries, None, facts, told)
    }

    pub(crate) fn related(&mut self, wanted: &Relate, answer: &Related) -> Checked {
        let Relate { app, from, to, .. } = *wanted;
        let fits = match answer {
            Related::Refused(refusal) => self.refuses(wanted, *refusal),
            Related::Pending(_) => self.asks(wanted),
            Related::Done(_) => !self.asks(wanted),
        };
        holds(fits, "refusals_are_true", || format!("{wanted:?} came to {answer:?}"))?;
        let (Related::Done(told) | Related::Pending(told)) = answer else { return Ok(()) };
        let before = self.people.bonds.clone();
        let asked = before.contains(&(app, from, to, Bond::AskedBy));
        let bonds = &mut self.people.bonds;
        let mut entries = Vec::new();
        let news = |user, peer, how| (user, Change::Relation { peer, how });
        let forget_asking = |bonds: &mut BTreeSet<_>| {
            bonds.remove(&(app, from, to, Bond::AskedBy));
            bonds.remove(&(app, to, from, Bond::AskedBy));
        };
        match &wanted.act {
            Approach::Befriend { .. } if matches!(answer, Related::Pending(_)) => {
                bonds.insert((app, to, from, Bond::AskedBy));
                entries.push(news(to, from, RelationNews::Asked));
            }
            Approach::Befriend { mutual, .. } => {
                forget_asking(bonds);
                bonds.insert((app, from, to, Bond::Friend));
                if *mutual {
                    bonds.insert((app, to, from, Bond::Friend));
                }
            }
            Approach::Import { .. } => {
                if !bonds.insert((app, from, to, Bond::Friend)) {
                    entries.push(news(from, to, RelationNews::Noted));
                }
            }
            Approach::Note { .. } => entries.push(news(from, to, RelationNews::Noted)),
            Approach::Unfriend { mutual } => {
                bonds.remove(&(app, from, to, Bond::Friend));
                if *mutual {
                    bonds.remove(&(app, to, from, Bond::Friend));
                }
            }
            Approach::Block => {
                forget_asking(bonds);
                bonds.remove(&(app, from, to, Bond::Friend));
                bonds.remove(&(app, to, from, Bond::Friend));
                bonds.insert((app, from, to, Bond::Blocked));
            }
            Approach::Unblock => drop(bonds.remove(&(app, from, to, Bond::Blocked))),
        }
        let difference = Difference::of([from, to], app, [&before, bonds]);
        entries.extend(difference.news());
        self.tell(app, entries, None, difference.facts(&wanted.act, asked), told)
    }

    /// Whether the other has to agree first, if nothing else is in the way.
    fn asks(&self, wanted: &Relate) -> bool {
        let Relate { app, from, to, .. } = *wanted;
        let Approach::Befriend { forced, .. } = wanted.act else { return false };
        let is_answer = self.people.is(Bond::AskedBy, app, from, to);
        let admission = self.people.resident(app, to).map(|resident| resident.admission);
        !forced && !is_answer && admission == Some(Admission::Asked)
    }

    fn refuses(&self, wanted: &Relate, refusal: NotRelated) -> bool {
        let Relate { app, from, to, limits, .. } = *wanted;
        let people = &self.people;
        let is = |bond, user, peer| people.is(bond, app, user, peer);
        let mutual = matches!(
            wanted.act,
            Approach::Befriend { mutual: true, .. } | Approach::Unfriend { mutual: true }
        );
        match refusal {
            NotRelated::UnknownAccount => !people.has(app, from) || !people.has(app, to),
            NotRelated::Oneself => from == to,
            NotRelated::AlreadyFriends => {
                is(Bond::Friend, from, to) && (!mutual || is(Bond::Friend, to, from))
            }
            NotRelated::NotFriends => !is(Bond::Friend, from, to) && !(mutual && is(Bond::Friend, to, from)),
            NotRelated::AlreadyBlocked => is(Bond::Blocked, from, to),
            NotRelated::NotBlocked => !is(Bond::Blocked, from, to),
            NotRelated::BlocksPeer => is(Bond::Blocked, from, to),
            NotRelated::BlockedByPeer => is(Bond::Blocked, to, from),
            NotRelated::MayNotAsk => people.resident(app, from).is_some_and(|resident| !resident.may_ask),
            NotRelated::PeerRefuses => {
                people.resident(app, to).is_some_and(|resident| resident.admission == Admission::Nobody)
            }
            NotRelated::FriendsFull => people.count(Bond::Friend, app, from) >= limits.friends_max,
            NotRelated::PeerFriendsFull => people.count(Bond::Friend, app, to) >= limits.friends_max,
            NotRelated::RequestsFull => people.count(Bond::AskedBy, app, to) >= limits.requests_max,
            NotRelated::BlocklistFull => people.count(Bond::Blocked, app, from) >= limits.blocked_max,
            // Nobody here asks for groups or notes.
            NotRelated::GroupsFull | NotRelated::TooManyNotes | NotRelated::NoSuchGroup => false,
        }
    }
}

fn is_full(resident: &Resident, change: &PersonChange) -> bool {
    let PersonChange::Profile { items, tags_max, .. } = change else { return false };
    let tags: BTreeSet<&String> = resident.profile.keys().chain(items.iter().map(|(tag, _)| tag)).collect();
    tags.len() > *tags_max
}

/// What became different between two people: for each bond, whether it is there before and after, for either side.
struct Difference {
    people: [UserId; 2],
    /// By bond: blocked, friend.
    gained: [[bool; 2]; 2],
    lost: [[bool; 2]; 2],
}

impl Difference {
    fn of(
        people: [UserId; 2],
        app: AppId,
        [before, after]: [&BTreeSet<(AppId, UserId, UserId, Bond)>; 2],
    ) -> Self {
        let [from, to] = people;
        let keys = |bond| [(app, from, to, bond), (app, to, from, bond)];
        let only_in = |one: &BTreeSet<_>, other: &BTreeSet<_>| {
            [Bond::Blocked, Bond::Friend]
                .map(|bond| keys(bond).map(|key| one.contains(&key) && !other.contains(&key)))
        };
        Self { people, gained: only_in(after, before), lost: only_in(before, after) }
    }

    /// What either finds in the log.
    fn news(&self) -> Vec<(UserId, Change)> {
        let [from, to] = self.people;
        let mut news = Vec::new();
        let kinds = [
            (self.gained[0], RelationNews::Blocked),
            (self.gained[1], RelationNews::Befriended),
            (self.lost[0], RelationNews::Unblocked),
            (self.lost[1], RelationNews::Unfriended),
        ];
        for ([here, there], how) in kinds {
            news.extend(here.then_some((from, Change::Relation { peer: to, how })));
            news.extend(there.then_some((to, Change::Relation { peer: from, how })));
        }
        news
    }

    /// What the backend hears: of the list that changed; of both, if both did. Friends who were imported are no news.
    fn facts(&self, act: &Approach, asked: bool) -> Vec<Fact> {
        let [from, to] = self.people;
        let fact = |[here, _]: [bool; 2], relation| {
            let (from, to) = if here { (from, to) } else { (to, from) };
            Fact::Relation(RelationChange { from, to, relation })
        };
        let is_any = |sides: [bool; 2]| sides.contains(&true);
        let is_both = |sides: [bool; 2]| sides == [true, true];
        let mut facts = Vec::new();
        if is_any(self.gained[0]) {
            facts.push(fact(self.gained[0], Relation::Blocked));
        }
        if let Approach::Befriend { forced, admin, .. } = *act
            && is_any(self.gained[1])
        {
            let mutual = is_both(self.gained[1]);
            let befriended = Befriended { initiator: from, mutual, accepted: asked, admin, forced };
            facts.push(fact(self.gained[1], Relation::Befriended(befriended)));
        }
        if is_any(self.lost[0]) {
            facts.push(fact(self.lost[0], Relation::Unblocked));
        }
        if is_any(self.lost[1]) {
            facts.push(fact(self.lost[1], Relation::Unfriended { mutual: is_both(self.lost[1]) }));
        }
        facts
    }
}
