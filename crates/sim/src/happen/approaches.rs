//! What people decide about themselves and about one another.

use super::acts::ORIGIN;
use crate::errand::Wish;
use crate::ledger::Bond;
use crate::world::World;
use chat::event::ProfileValue;
use chat::person::{Admission, ChangePerson, Friend, PersonChange, ProfileSettings};
use chat::relate::{Approach, Relate, RelationLimits};
use chat::{AppId, UserId};

/// So low that people run into them.
const LIMITS: RelationLimits =
    RelationLimits { friends_max: 4, blocked_max: 2, requests_max: 1, groups_max: 2, custom_max: 2 };

/// Fewer than there are.
const TAGS_LEN_MAX: usize = 3;

impl World {
    /// Where only friends may write to one another, most people are.
    pub(super) fn make_friends(&mut self, index: usize) {
        let app = &self.plan.apps[index];
        let (app, users, friends_only) = (app.id, app.users.clone(), app.terms.friends_only);
        for (place, from) in users.iter().enumerate() {
            for to in &users[..place] {
                if self.draw(|chance| chance.hits(if friends_only { 900 } else { 200 })) {
                    self.relate(app, *from, *to, befriend(true, true));
                }
            }
        }
    }

    pub(super) fn approach(&mut self, app: AppId, from: UserId, to: UserId) {
        let act = self.draw(|chance| match chance.between(0..=99) {
            0..=44 => befriend(chance.hits(700), chance.hits(200)),
            45..=52 => Approach::Import { entry: Friend::default(), groups: Vec::new() },
            53..=57 => {
                let remark = Some("met at work".to_owned());
                Approach::Note { remark, groups: None, join: Vec::new(), custom: Vec::new() }
            }
            58..=68 => Approach::Unfriend { mutual: chance.hits(500) },
            69..=84 => Approach::Block,
            _ => Approach::Unblock,
        });
        let bond = match act {
            Approach::Befriend { .. } => Some(Bond::AskedBy),
            Approach::Unfriend { .. } | Approach::Note { .. } => Some(Bond::Friend),
            Approach::Unblock => Some(Bond::Blocked),
            Approach::Import { .. } | Approach::Block => None,
        };
        // Rather about somebody about whom there is something to be done.
        let (from, to) = bond.and_then(|bond| self.some_bond(app, bond)).unwrap_or((from, to));
        self.relate(app, from, to, act);
    }

    fn some_bond(&self, app: AppId, bond: Bond) -> Option<(UserId, UserId)> {
        let state = &mut *self.stage.lock();
        let bound = state.ledger.people.bound(bond, app);
        let goes_by_it = !bound.is_empty() && state.chance.hits(600);
        goes_by_it.then(|| *state.chance.pick(&bound))
    }

    fn relate(&mut self, app: AppId, from: UserId, to: UserId, act: Approach) {
        let now_ms = self.now_ms();
        self.wish(Wish::Relate(Relate { app, from, to, act, limits: LIMITS, now_ms, origin: ORIGIN }));
    }

    pub(super) fn change_person(&mut self, app: AppId, user: UserId) {
        let tag = self.next_tag();
        let now_ms = self.now_ms();
        let change = self.draw(|chance| match chance.between(0..=9) {
            0..=4 => PersonChange::Profile {
                items: vec![(
                    (*chance.pick(&["nick", "level", "city", "mood", "song", "team"])).to_owned(),
                    ProfileValue::Number(tag.0 as u32),
                )],
                settings: ProfileSettings {
                    admission: chance.hits(600).then(|| *chance.pick(&Admission::ALL)),
                    may_ask: chance.hits(400).then(|| chance.hits(700)),
                    receives: chance.hits(400).then(|| chance.hits(700)),
                },
                operator: user,
                origin: ORIGIN,
                tags_max: TAGS_LEN_MAX,
            },
            5..=7 => {
                let until_s = Some(now_ms / 1000 + chance.between(0..=40));
                PersonChange::Mute { until_s, group_until_s: None }
            }
            _ => PersonChange::Revoke,
        });
        self.wish(Wish::Person(ChangePerson { app, user, change, now_ms }));
    }
}

fn befriend(mutual: bool, forced: bool) -> Approach {
    Approach::Befriend {
        mutual,
        forced,
        admin: None,
        remark: String::new(),
        group: None,
        source: String::new(),
        wording: String::new(),
    }
}
