//! What people decide about themselves and about one another.

use super::acts::ORIGIN;
use crate::errand::Wish;
use crate::world::World;
use chat::event::ProfileValue;
use chat::person::{Admission, ChangePerson, Friend, PersonChange, ProfileSettings};
use chat::relate::{Approach, Relate, RelationLimits};
use chat::{AppId, UserId};

/// So low that people run into them.
const LIMITS: RelationLimits =
    RelationLimits { friends_max: 4, blocked_max: 2, requests_max: 1, groups_max: 2, custom_max: 2 };

/// There are as many tags, and one more.
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
            0..=39 => befriend(chance.hits(700), chance.hits(300)),
            40..=49 => Approach::Import { entry: Friend::default(), groups: Vec::new() },
            50..=54 => {
                let remark = Some("met at work".to_owned());
                Approach::Note { remark, groups: None, join: None, custom: Vec::new() }
            }
            55..=64 => Approach::Unfriend { mutual: chance.hits(500) },
            65..=81 => Approach::Block,
            _ => Approach::Unblock,
        });
        self.relate(app, from, to, act);
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
                    (*chance.pick(&["nick", "level", "city", "mood"])).to_owned(),
                    ProfileValue::Number(tag.0 as u32),
                )],
                settings: ProfileSettings {
                    admission: chance.hits(400).then(|| *chance.pick(&Admission::ALL)),
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
