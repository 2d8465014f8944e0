//! What people decide about themselves and about one another.

use super::acts::ORIGIN;
use crate::errand::Wish;
use crate::ledger::Bond;
use crate::world::World;
use chat::event::ProfileValue;
use chat::person::{Admission, ChangePerson, Friend, PersonChange, ProfileSettings, PushProvider, PushToken};
use chat::relate::{Approach, Relate, RelationLimits};
use chat::{AppId, UserId};

/// So low that people run into them.
const LIMITS: RelationLimits =
    RelationLimits { friends_max: 4, blocked_max: 2, requests_max: 1, groups_max: 2, custom_max: 2 };

/// Fewer than there are.
const TAGS_LEN_MAX: usize = 2;

impl World {
    /// Where only friends may write to one another, most people are. Some want to be asked from the beginning.
    pub(super) fn make_friends(&mut self, index: usize) {
        let app = &self.plan.apps[index];
        let (app, users, friends_only) = (app.id, app.users.clone(), app.terms.friends_only);
        for (place, from) in users.iter().enumerate() {
            for to in &users[..place] {
                if self.draw(|chance| chance.hits(if friends_only { 900 } else { 200 })) {
                    self.relate(app, *from, *to, befriend(true, true));
                }
            }
            if self.draw(|chance| chance.hits(300)) {
                let settings =
                    ProfileSettings { admission: Some(Admission::Asked), ..ProfileSettings::default() };
                self.write_profile(app, *from, Vec::new(), settings);
            }
        }
    }

    fn write_profile(
        &mut self,
        app: AppId,
        user: UserId,
        items: Vec<(String, ProfileValue)>,
        settings: ProfileSettings,
    ) {
        let tags_max = TAGS_LEN_MAX;
        let change = PersonChange::Profile { items, settings, operator: user, origin: ORIGIN, tags_max };
        self.wish(Wish::Person(ChangePerson { app, user, change, now_ms: self.now_ms() }));
    }

    pub(super) fn approach(&mut self, app: AppId, from: UserId, to: UserId) {
        let act = self.draw(|chance| match chance.between(0..=99) {
            0..=35 => {
                let mut act = befriend(chance.hits(700), chance.hits(200));
                if let Approach::Befriend { discreet, forced: false, .. } = &mut act {
                    *discreet = chance.hits(500);
                }
                act
            }
            36..=42 => Approach::Import { entry: Friend::default(), groups: Vec::new() },
            43..=47 => {
                let remark = Some("met at work".to_owned());
                let (join, leave, custom) = (Vec::new(), Vec::new(), Vec::new());
                Approach::Note { remark, groups: None, join, leave, custom }
            }
            48..=57 => Approach::Accept { mutual: chance.hits(700), remark: String::new() },
            58..=65 => Approach::Refuse,
            66..=73 => Approach::Unfriend { mutual: chance.hits(500) },
            74..=87 => Approach::Block,
            _ => Approach::Unblock,
        });
        let bond = match act {
            // Whoever was asked may also want the same by chance.
            Approach::Befriend { .. } => self.draw(|chance| chance.hits(300).then_some(Bond::AskedBy)),
            Approach::Accept { .. } | Approach::Refuse => Some(Bond::AskedBy),
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
        let change = self.draw(|chance| match chance.between(0..=13) {
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
            5..=6 => {
                let until_s = Some(now_ms / 1000 + chance.between(0..=40));
                PersonChange::Mute { until_s, group_until_s: None }
            }
            7..=9 => {
                // Few, so that they change hands.
                let device = chance.pick(&["phone", "tablet"]).to_string();
                let token = PushToken {
                    device: device.clone(),
                    provider: *chance.pick(&PushProvider::ALL),
                    token: chance.between(1..=4).to_string(),
                    set_ms: now_ms,
                };
                if chance.hits(800) {
                    PersonChange::SetToken(token)
                } else {
                    PersonChange::DropToken { device, only: None }
                }
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
        discreet: false,
        admin: None,
        remark: String::new(),
        group: None,
        source: String::new(),
        wording: String::new(),
    }
}
