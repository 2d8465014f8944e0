//! People, and what they are to one another.

use super::{Walk, named};
use crate::random::step::Step;
use crate::world::{ORIGIN, user};
use chat::Platform;
use chat::person::{
    Admission, ChangePerson, FOREVER_S, Friend, PersonChange, ProfileSettings, PushProvider, PushToken,
    Reachable,
};
use chat::port::{ListQuery, Relate, TieList};
use chat::relate::{Approach, RelationLimits};

impl Walk {
    pub(super) fn relate(&mut self, from: &str, to: &str) -> Step {
        let act = match self.chance.below(20) {
            0..8 => self.befriend(),
            8..10 => Approach::Import {
                entry: Friend {
                    added_s: self.chance.below(9),
                    remark: self.word(),
                    source: self.word(),
                    wording: self.word(),
                    custom: self.profile_items().into_iter().collect(),
                    groups: Vec::new(),
                },
                groups: self.groups(),
            },
            10..13 => Approach::Note {
                remark: self.chance.is_one_in(2).then(|| self.word()),
                groups: self.chance.is_one_in(2).then(|| self.groups()),
                join: self.chance.is_one_in(3).then(|| self.group()).into_iter().collect(),
                leave: self.chance.is_one_in(4).then(|| self.group()).into_iter().collect(),
                custom: self.profile_items(),
            },
            13..16 => Approach::Unfriend { mutual: self.chance.is_one_in(2) },
            16 => Approach::Refuse,
            17 => Approach::Accept { mutual: self.chance.is_one_in(2), remark: self.word() },
            18 => Approach::Block,
            _ => Approach::Unblock,
        };
        let (app, from) = named(from);
        let limits =
            RelationLimits { friends_max: 3, blocked_max: 2, groups_max: 3, requests_max: 2, custom_max: 2 };
        Step::Relate(Relate {
            app,
            from,
            to: user(to),
            act,
            limits,
            now_ms: self.now_s * 1000,
            origin: ORIGIN,
        })
    }

    fn befriend(&mut self) -> Approach {
        Approach::Befriend {
            mutual: self.chance.is_one_in(2),
            forced: self.chance.is_one_in(3),
            discreet: self.chance.is_one_in(3),
            admin: self.chance.is_one_in(2).then(|| user("admin")),
            remark: self.word(),
            group: self.chance.is_one_in(3).then(|| self.group()),
            source: self.word(),
            wording: self.word(),
        }
    }

    fn group(&mut self) -> String {
        format!("group {}", self.chance.below(5))
    }

    fn groups(&mut self) -> Vec<String> {
        (0..self.chance.below(3)).map(|_| self.group()).collect()
    }

    pub(super) fn change_person(&mut self, name: &str) -> Step {
        let change = match self.chance.below(18) {
            0..5 => PersonChange::Profile {
                items: self.profile_items(),
                settings: ProfileSettings {
                    admission: self.chance.is_one_in(2).then(|| self.chance.one_of(&Admission::ALL)),
                    may_ask: self.chance.is_one_in(4).then(|| self.is_likely(3)),
                    receives: self.chance.is_one_in(3).then(|| self.is_likely(3)),
                },
                operator: user("admin"),
                origin: ORIGIN,
                tags_max: 3,
            },
            5..8 => PersonChange::Mute {
                until_s: self.chance.is_one_in(2).then(|| self.until_s()),
                group_until_s: self.chance.is_one_in(2).then(|| self.until_s()),
            },
            8 => PersonChange::Revoke,
            9 => PersonChange::AddGroups { names: self.groups(), groups_max: 3 },
            10 => PersonChange::RemoveGroups { names: self.groups() },
            11 => PersonChange::RenameGroup { name: self.group(), to: self.group() },
            12..15 => PersonChange::SetToken(self.token()),
            15 => PersonChange::DropToken { device: self.device(), only: None },
            _ => PersonChange::Reach {
                reach: Reachable { platform: self.chance.one_of(&Platform::ALL), until_s: self.until_s() },
                issued_s: self.issued_s(),
            },
        };
        let (app, user) = named(name);
        Step::ChangePerson(ChangePerson { app, user, change, now_ms: self.now_s * 1000 })
    }

    /// One of a few, so that they move from one person to another.
    fn token(&mut self) -> PushToken {
        PushToken {
            device: self.device(),
            provider: self.chance.one_of(&PushProvider::ALL),
            token: format!("token {}", self.chance.below(8)),
            set_ms: self.now_s * 1000,
        }
    }

    /// Of a credential that may be worthless by now.
    pub(super) fn issued_s(&mut self) -> u64 {
        self.now_s.saturating_sub(self.chance.below(60))
    }

    fn device(&mut self) -> String {
        format!("device {}", self.chance.below(14))
    }

    fn until_s(&mut self) -> u64 {
        self.chance.one_of(&[0, self.now_s, self.now_s + 30, FOREVER_S])
    }

    pub(super) fn listed(&mut self, name: &str) -> Step {
        let after = user(self.name());
        let (app, user) = named(name);
        Step::Listed(ListQuery {
            app,
            user,
            list: self.chance.one_of(&[TieList::Friends, TieList::Blocked, TieList::Requests]),
            after: self.chance.is_one_in(3).then_some(after),
            skip: self.chance.below(3) as usize,
            limit: self.chance.below(3) as usize,
        })
    }
}
