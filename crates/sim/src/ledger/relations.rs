//! What people become to one another.

use super::people::Bond;
use super::{Ledger, News};
use crate::report::{Checked, holds};
use chat::conversation::RelationNews;
use chat::event::{Befriended, Relation, RelationChange};
use chat::person::Admission;
use chat::relate::{Approach, NotRelated, Relate, Related};
use chat::{AppId, Change, Fact, UserId};
use std::collections::BTreeSet;

impl Ledger {
    pub(crate) fn related(&mut self, wanted: &Relate, answer: &Related) -> Checked {
        let Relate { app, from, to, .. } = *wanted;
        let reasons = self.reasons(wanted);
        let fits = match answer {
            Related::Refused(refusal) => reasons.contains(refusal),
            Related::Pending(_) => reasons.is_empty() && self.asks(wanted),
            Related::Done(_) => reasons.is_empty() && !self.asks(wanted),
        };
        holds(fits, "refusals_are_true", || {
            format!("{wanted:?} came to {answer:?}, and {reasons:?} are against it")
        })?;
        let (Related::Done(told) | Related::Pending(told)) = answer else { return Ok(()) };
        let before = self.people.bonds.clone();
        let asked = before.contains(&(app, from, to, Bond::AskedBy));
        let mut entries = self.bind(wanted, matches!(answer, Related::Pending(_)));
        let difference = Difference::of([from, to], app, [&before, &self.people.bonds]);
        entries.extend(difference.news());
        let facts = difference.facts(&wanted.act, asked);
        self.tell(app, News { entries, named: None, facts }, told)
    }

    /// Makes of the two what was wanted, and says what is news although nothing became different.
    fn bind(&mut self, wanted: &Relate, is_pending: bool) -> Vec<(UserId, Change)> {
        let Relate { app, from, to, .. } = *wanted;
        let bonds = &mut self.people.bonds;
        let asked = bonds.contains(&(app, from, to, Bond::AskedBy));
        let is_blocked = bonds.contains(&(app, to, from, Bond::Blocked));
        let mut entries = Vec::new();
        let news = |user, peer, how| (user, Change::Relation { peer, how });
        let forget_asking = |bonds: &mut BTreeSet<_>| {
            bonds.remove(&(app, from, to, Bond::AskedBy));
            bonds.remove(&(app, to, from, Bond::AskedBy));
        };
        match &wanted.act {
            // Nobody who blocks is asked.
            Approach::Befriend { .. } if is_pending && is_blocked => {}
            Approach::Befriend { .. } if is_pending => {
                bonds.insert((app, to, from, Bond::AskedBy));
                entries.push(news(to, from, RelationNews::Asked));
            }
            Approach::Befriend { mutual, .. } => {
                forget_asking(bonds);
                bonds.insert((app, from, to, Bond::Friend));
                if (*mutual || asked) && !is_blocked {
                    bonds.insert((app, to, from, Bond::Friend));
                }
            }
            Approach::Accept { mutual, .. } => {
                forget_asking(bonds);
                bonds.insert((app, to, from, Bond::Friend));
                if *mutual {
                    bonds.insert((app, from, to, Bond::Friend));
                }
            }
            Approach::Refuse => drop(bonds.remove(&(app, from, to, Bond::AskedBy))),
            Approach::Import { .. } => {
                if bonds.insert((app, from, to, Bond::Friend)) {
                    bonds.remove(&(app, from, to, Bond::AskedBy));
                } else {
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
        entries
    }

    /// Whether the other has to agree first, if nothing else is in the way.
    fn asks(&self, wanted: &Relate) -> bool {
        let Relate { app, from, to, .. } = *wanted;
        let Approach::Befriend { forced, .. } = wanted.act else { return false };
        let is_answer = self.people.is(Bond::AskedBy, app, from, to);
        let admission = self.people.resident(app, to).map(|resident| resident.admission);
        !forced && !is_answer && admission == Some(Admission::Asked)
    }

    /// Everything that is against it.
    fn reasons(&self, wanted: &Relate) -> Vec<NotRelated> {
        let Relate { app, from, to, .. } = *wanted;
        let people = &self.people;
        let is = |bond, user, peer| people.is(bond, app, user, peer);
        let needs_both =
            !matches!(wanted.act, Approach::Unfriend { .. } | Approach::Unblock | Approach::Refuse);
        let is_missing = !people.has(app, from) || (needs_both && !people.has(app, to));
        let mut reasons = vec![(NotRelated::Oneself, from == to), (NotRelated::UnknownAccount, is_missing)];
        let blocked_full = people.count(Bond::Blocked, app, from) >= wanted.limits.blocked_max;
        let friends_full = people.count(Bond::Friend, app, from) >= wanted.limits.friends_max;
        let is_friend = is(Bond::Friend, from, to);
        match wanted.act {
            Approach::Befriend { mutual, forced, discreet, .. } => {
                reasons.extend(self.obstacles(wanted, [mutual, forced, discreet]));
            }
            Approach::Accept { mutual, .. } => {
                let full_there = people.count(Bond::Friend, app, to) >= wanted.limits.friends_max;
                reasons.push((NotRelated::NotAsked, !is(Bond::AskedBy, from, to)));
                reasons.push((NotRelated::FriendsFull, mutual && !is_friend && friends_full));
                reasons.push((NotRelated::PeerFriendsFull, !is(Bond::Friend, to, from) && full_there));
            }
            Approach::Refuse => reasons.push((NotRelated::NotAsked, !is(Bond::AskedBy, from, to))),
            Approach::Import { .. } => reasons.push((NotRelated::FriendsFull, !is_friend && friends_full)),
            Approach::Note { .. } => reasons.push((NotRelated::NotFriends, !is_friend)),
            Approach::Unfriend { mutual } => {
                let is_any = is_friend || (mutual && is(Bond::Friend, to, from));
                reasons.push((NotRelated::NotFriends, !is_any));
            }
            Approach::Block => {
                reasons.push((NotRelated::AlreadyBlocked, is(Bond::Blocked, from, to)));
                reasons.push((NotRelated::BlocklistFull, blocked_full));
            }
            Approach::Unblock => reasons.push((NotRelated::NotBlocked, !is(Bond::Blocked, from, to))),
        }
        reasons.into_iter().filter(|(_, is_so)| *is_so).map(|(reason, _)| reason).collect()
    }

    /// What can be against a friendship, and whether it is.
    fn obstacles(&self, wanted: &Relate, [mutual, forced, discreet]: [bool; 3]) -> [(NotRelated, bool); 8] {
        let Relate { app, from, to, limits, .. } = *wanted;
        let people = &self.people;
        let is = |bond, user, peer| people.is(bond, app, user, peer);
        let is_full = |user| people.count(Bond::Friend, app, user) >= limits.friends_max;
        let (asker, asked) = (people.resident(app, from), people.resident(app, to));
        let is_answer = is(Bond::AskedBy, from, to);
        let is_free = forced || is_answer;
        let gains_here = !is(Bond::Friend, from, to);
        let is_blocked = is(Bond::Blocked, to, from);
        let gains_there = (mutual || is_answer) && !is(Bond::Friend, to, from) && !(discreet && is_blocked);
        let asks_anew = self.asks(wanted) && !is(Bond::AskedBy, to, from);
        [
            (NotRelated::AlreadyFriends, !gains_here && !gains_there),
            (NotRelated::BlocksPeer, is(Bond::Blocked, from, to)),
            (NotRelated::BlockedByPeer, is_blocked && !discreet),
            (NotRelated::FriendsFull, gains_here && is_full(from)),
            (NotRelated::PeerFriendsFull, gains_there && is_full(to)),
            (NotRelated::MayNotAsk, !is_free && asker.is_some_and(|asker| !asker.may_ask)),
            (
                NotRelated::PeerRefuses,
                !is_free && asked.is_some_and(|asked| asked.admission == Admission::Nobody),
            ),
            (
                NotRelated::RequestsFull,
                asks_anew && people.count(Bond::AskedBy, app, to) >= limits.requests_max,
            ),
        ]
    }
}

/// What became different between two people: for each bond, whether it is there before and after, for either side.
struct Difference {
    people: [UserId; 2],
    /// By bond: blocked, friend, asked.
    gained: [[bool; 2]; 3],
    lost: [[bool; 2]; 3],
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
            [Bond::Blocked, Bond::Friend, Bond::AskedBy]
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
        // To whoever blocks or has a friend now, that says it.
        let says_it = |side: usize| self.gained[0][side] || self.gained[1][side];
        for (side, (user, peer)) in [(from, to), (to, from)].into_iter().enumerate() {
            let how = RelationNews::Unasked;
            let is_told = self.lost[2][side] && !says_it(side);
            news.extend(is_told.then_some((user, Change::Relation { peer, how })));
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
        let by = match *act {
            Approach::Befriend { forced, admin, .. } => Some((forced, admin)),
            Approach::Accept { .. } => Some((false, None)),
            _ => None,
        };
        if let Some((forced, admin)) = by
            && is_any(self.gained[1])
        {
            let mutual = is_both(self.gained[1]);
            let initiator = if asked { to } else { from };
            let befriended = Befriended { initiator, mutual, accepted: asked, admin, forced };
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
