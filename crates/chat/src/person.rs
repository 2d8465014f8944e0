//! What is kept of one person, and of what two people are to one another.
//!
//! Profiles are opaque: tags and values of the wire. Of their meaning, the rules know what [`Person`] says.

use crate::conversation::{Change, RelationNews};
use crate::effect::{Effects, Told};
use crate::event::{Fact, Origin, Platform, ProfileChange, ProfileValue};
use crate::id::{AppId, UserId};
use std::collections::BTreeMap;

/// What the rules need to know of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// May not send from a device up to this time; [`FOREVER_S`] has no end.
    pub muted_until_s: u64,
    /// The same for groups. Kept for the backend that set it; nothing here has groups.
    pub group_muted_until_s: u64,
    /// Credentials that were issued up to this time are not good any more.
    pub revoked_s: u64,
    pub admission: Admission,
    /// Whether the person may ask others to be friends.
    pub may_ask: bool,
    /// Whether the person wants to receive messages at all.
    pub receives: bool,
    pub friends: u32,
    pub blocked: u32,
    /// Friend requests that wait for this person's answer.
    pub asked: u32,
    /// Conversations that are pinned.
    pub pinned: u32,
    /// Rises with every change of the friend list, and of the blocklist.
    pub friends_version: u64,
    pub blocklist_version: u64,
    /// Platforms on which push may still reach the person, although no device is connected.
    pub reachable: Vec<Reachable>,
    /// Friend groups, in the order in which they were made.
    pub groups: Vec<FriendGroup>,
    /// The highest number that was ever given to a group.
    pub group_last: u32,
}

/// Where push reaches one device of a person, as its app has told. Kept apart from [`Person`], since no rule needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushToken {
    pub device: String,
    pub provider: PushProvider,
    pub token: String,
    pub set_ms: u64,
}

/// Devices of a person that push can reach. The one that was told of first makes room for one more.
pub const PUSH_TOKENS_LEN_MAX: usize = 10;

/// Who carries push to a device. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PushProvider {
    Fcm = 1,
    Apns = 2,
}

impl PushProvider {
    pub const ALL: [Self; 2] = [Self::Fcm, Self::Apns];
}

impl PushToken {
    /// Whether it reaches the same installed app as another, whoever uses it.
    pub fn is_same(&self, other: &Self) -> bool {
        self.provider == other.provider && self.token == other.token
    }
}

/// A mute without end.
pub const FOREVER_S: u64 = u64::MAX;

impl Default for Person {
    fn default() -> Self {
        Self {
            muted_until_s: 0,
            group_muted_until_s: 0,
            revoked_s: 0,
            admission: Admission::default(),
            may_ask: true,
            receives: true,
            friends: 0,
            blocked: 0,
            asked: 0,
            pinned: 0,
            friends_version: 0,
            blocklist_version: 0,
            reachable: Vec::new(),
            groups: Vec::new(),
            group_last: 0,
        }
    }
}

impl Person {
    pub fn is_muted(&self, now_s: u64) -> bool {
        now_s < self.muted_until_s
    }

    /// What is left of someone whose account is deleted.
    pub fn gone(&self, now_ms: u64) -> Self {
        // A credential of this very second may be meant for the account that is made next.
        let revoked_s = (now_ms / 1000).saturating_sub(1).max(self.revoked_s);
        Self { revoked_s, ..Self::default() }
    }

    /// The names of the groups with these numbers.
    pub fn group_names(&self, ids: &[u32]) -> Vec<&str> {
        self.groups.iter().filter(|group| ids.contains(&group.id)).map(|group| &*group.name).collect()
    }

    /// The numbers of these groups, which are made where they do not exist. `None`: there would be too many.
    pub fn groups_named(&mut self, names: &[String], groups_max: usize) -> Option<Vec<u32>> {
        let is_known = |groups: &[FriendGroup], name: &String| groups.iter().any(|group| group.name == *name);
        let mut new: Vec<&String> = names.iter().filter(|name| !is_known(&self.groups, name)).collect();
        new.sort_unstable();
        new.dedup();
        if self.groups.len() + new.len() > groups_max {
            return None;
        }
        let mut ids = Vec::with_capacity(names.len());
        for name in names {
            let id = match self.groups.iter().find(|group| group.name == *name) {
                Some(group) => group.id,
                None => {
                    self.group_last += 1;
                    self.groups.push(FriendGroup { id: self.group_last, name: name.clone() });
                    self.group_last
                }
            };
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Some(ids)
    }
}

/// A device went without saying goodbye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reachable {
    pub platform: Platform,
    pub until_s: u64,
}

/// A group of friends. Friends name it by its number, so that it can go without touching them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FriendGroup {
    pub id: u32,
    pub name: String,
}

/// Who becomes a friend of a person. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Admission {
    #[default]
    Anyone = 0,
    /// Whoever the person agrees to.
    Asked = 1,
    Nobody = 2,
}

impl Admission {
    pub const ALL: [Self; 3] = [Self::Anyone, Self::Asked, Self::Nobody];
}

/// Something that is changed about one person.
#[derive(Debug, Clone)]
pub struct ChangePerson {
    pub app: AppId,
    pub user: UserId,
    pub change: PersonChange,
    pub now_ms: u64,
}

#[derive(Debug, Clone)]
pub enum PersonChange {
    /// Writes to the profile.
    Profile {
        items: Vec<(String, ProfileValue)>,
        /// What the items mean to the rules.
        settings: ProfileSettings,
        operator: UserId,
        origin: Origin,
        /// Tags that a profile can have.
        tags_max: usize,
    },
    /// `None` leaves what is there; a time that has passed ends the mute.
    Mute {
        until_s: Option<u64>,
        group_until_s: Option<u64>,
    },
    /// Makes all credentials that were issued so far worthless, and with them whatever push could still reach: no
    /// token is left.
    Revoke,
    /// Push can reach the person on a platform up to a time; one that has passed says that it cannot. Nothing comes of
    /// it when the credential of the session that says so, which was issued at a time, is worthless by now.
    Reach {
        reach: Reachable,
        issued_s: u64,
    },
    AddGroups {
        names: Vec<String>,
        groups_max: usize,
    },
    RemoveGroups {
        names: Vec<String>,
    },
    /// Friends stay in it.
    RenameGroup {
        name: String,
        to: String,
    },
    /// Push can reach a device by this token. It replaces what the device had, and is taken from whoever else of the
    /// app had it: a phone changes hands, and the next user's messages are not for the last one.
    SetToken(PushToken),
    DropToken {
        device: String,
        /// Only if the device still has this token, and not another one since.
        only: Option<String>,
    },
}

/// The values that a write to a profile has for the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProfileSettings {
    pub admission: Option<Admission>,
    pub may_ask: Option<bool>,
    pub receives: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonChanged {
    Done(Told),
    UnknownAccount,
    Refused(NotChanged),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotChanged {
    /// The profile would have too many tags, or the person too many groups.
    Full,
    NoSuchGroup,
    /// There is another group of this name.
    GroupExists,
}

/// Carries out the change. The profile and the tokens are only looked at when they are changed.
pub fn change_person(wanted: &ChangePerson, portrait: &mut Portrait) -> Result<Effects, NotChanged> {
    let mut effects = Effects::default();
    let Portrait { person, profile, tokens } = portrait;
    match &wanted.change {
        PersonChange::Profile { items, settings, operator, tags_max, .. } => {
            profile.extend(items.iter().cloned());
            if profile.len() > *tags_max {
                return Err(NotChanged::Full);
            }
            person.admission = settings.admission.unwrap_or(person.admission);
            person.may_ask = settings.may_ask.unwrap_or(person.may_ask);
            person.receives = settings.receives.unwrap_or(person.receives);
            effects.enter(wanted.user, Change::Profile, 0);
            let (operator, user, items) = (*operator, wanted.user, items.clone());
            effects.facts.push(Fact::Profile(ProfileChange { operator, user, items }));
        }
        PersonChange::Mute { until_s, group_until_s } => {
            person.muted_until_s = until_s.unwrap_or(person.muted_until_s);
            person.group_muted_until_s = group_until_s.unwrap_or(person.group_muted_until_s);
        }
        PersonChange::Revoke => {
            // What was worthless stays so, also when an older wish is carried out after a newer one.
            person.revoked_s = person.revoked_s.max(wanted.now_ms / 1000);
            person.reachable.clear();
            tokens.clear();
        }
        // Said by a session that was ended meanwhile: whoever is logged out cannot be reached where they were.
        PersonChange::Reach { issued_s, .. } if *issued_s <= person.revoked_s => {}
        PersonChange::Reach { reach, .. } => {
            let now_s = wanted.now_ms / 1000;
            person.reachable.retain(|known| known.platform != reach.platform && known.until_s > now_s);
            if reach.until_s > now_s {
                person.reachable.push(*reach);
            }
        }
        PersonChange::AddGroups { names, groups_max } => {
            person.groups_named(names, *groups_max).ok_or(NotChanged::Full)?;
            person.friends_version += 1;
            effects.enter(wanted.user, grouped(wanted), 0);
        }
        PersonChange::RemoveGroups { names } => {
            person.groups.retain(|group| !names.contains(&group.name));
            person.friends_version += 1;
            effects.enter(wanted.user, grouped(wanted), 0);
        }
        PersonChange::RenameGroup { name, to } => {
            if name != to && person.groups.iter().any(|group| group.name == *to) {
                return Err(NotChanged::GroupExists);
            }
            let group = person.groups.iter_mut().find(|group| group.name == *name);
            group.ok_or(NotChanged::NoSuchGroup)?.name.clone_from(to);
            person.friends_version += 1;
            effects.enter(wanted.user, grouped(wanted), 0);
        }
        PersonChange::SetToken(token) => {
            tokens.retain(|known| known.device != token.device && !known.is_same(token));
            tokens.push(token.clone());
            let too_many = tokens.len().saturating_sub(PUSH_TOKENS_LEN_MAX);
            tokens.drain(..too_many);
        }
        PersonChange::DropToken { device, only } => {
            let is_meant = |token: &String| only.as_ref().is_none_or(|only| only == token);
            tokens.retain(|known| known.device != *device || !is_meant(&known.token));
        }
    }
    Ok(effects)
}

/// Word of other friend groups, which no peer has anything to do with.
fn grouped(wanted: &ChangePerson) -> Change {
    Change::Relation { peer: wanted.user, how: RelationNews::Grouped }
}

impl ChangePerson {
    pub fn changes_profile(&self) -> bool {
        matches!(self.change, PersonChange::Profile { .. })
    }

    pub fn changes_tokens(&self) -> bool {
        use PersonChange::{DropToken, Revoke, SetToken};
        matches!(self.change, SetToken(_) | DropToken { .. } | Revoke)
    }

    /// Who is told of as the cause of its event.
    pub fn origin(&self) -> Option<Origin> {
        match self.change {
            PersonChange::Profile { origin, .. } => Some(origin),
            _ => None,
        }
    }
}

/// What a person shows of themself: values by tag.
pub type Profile = BTreeMap<String, ProfileValue>;

/// A person with their profile.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Portrait {
    pub person: Person,
    pub profile: Profile,
    /// In the order in which they were set.
    pub tokens: Vec<PushToken>,
}

/// What one person keeps of another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tie {
    pub friend: Option<Friend>,
    /// Since when the other is blocked.
    pub blocked_s: Option<u64>,
    /// The other wants to be friends.
    pub request: Option<FriendRequest>,
    /// The other keeps something of this one. With it, whoever has to do with a person is found from that person.
    pub kept_by_peer: bool,
}

impl Tie {
    /// Whether the person keeps anything of the other.
    pub fn keeps_something(&self) -> bool {
        self.friend.is_some() || self.blocked_s.is_some() || self.request.is_some()
    }

    /// Whether there is nothing to store.
    pub fn is_nothing(&self) -> bool {
        !self.keeps_something() && !self.kept_by_peer
    }
}

/// An entry of a friend list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Friend {
    pub added_s: u64,
    pub remark: String,
    /// Numbers of groups; one that does not exist any more counts for nothing.
    pub groups: Vec<u32>,
    pub source: String,
    pub wording: String,
    /// The app's own notes, by tag.
    pub custom: BTreeMap<String, ProfileValue>,
}

/// A wish to be friends that waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FriendRequest {
    pub asked_s: u64,
    /// Whether both are to have the other on their list.
    pub mutual: bool,
    /// What the one who asks will note of the other.
    pub remark: String,
    pub group: Option<String>,
    pub source: String,
    pub wording: String,
}

/// A friend or a blocked user, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub peer: UserId,
    pub tie: Tie,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_made_when_they_are_named_first() {
        let mut person = Person::default();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(person.groups_named(&names(&["work", "home", "work"]), 2), Some(vec![1, 2]));
        assert_eq!(person.groups_named(&names(&["home"]), 2), Some(vec![2]));
        assert_eq!(person.groups_named(&names(&["more"]), 2), None);
        assert_eq!(person.group_names(&[2, 9]), ["home"]);
        person.groups.remove(0);
        // A number is not given twice: friends of the group that went must not be found in the new one.
        assert_eq!(person.groups_named(&names(&["more"]), 2), Some(vec![3]));
    }

    fn changed(portrait: &mut Portrait, change: PersonChange) -> Result<(), NotChanged> {
        let wanted = ChangePerson { app: AppId(1), user: UserId::new("ana").unwrap(), change, now_ms: 5_000 };
        change_person(&wanted, portrait).map(|_| ())
    }

    #[test]
    fn a_group_that_is_renamed_keeps_its_number() {
        let mut ana = Portrait::default();
        let names = ["work", "home"].map(str::to_owned).to_vec();
        changed(&mut ana, PersonChange::AddGroups { names, groups_max: 9 }).unwrap();
        let rename = |name: &str, to: &str| PersonChange::RenameGroup { name: name.into(), to: to.into() };
        assert_eq!(changed(&mut ana, rename("work", "home")), Err(NotChanged::GroupExists));
        assert_eq!(changed(&mut ana, rename("gone", "new")), Err(NotChanged::NoSuchGroup));
        assert_eq!((ana.person.friends_version, ana.person.group_names(&[1])), (1, vec!["work"]));
        changed(&mut ana, rename("work", "office")).unwrap();
        changed(&mut ana, rename("home", "home")).unwrap();
        assert_eq!((ana.person.friends_version, ana.person.group_names(&[1])), (3, vec!["office"]));
    }

    #[test]
    fn the_oldest_token_makes_room_and_a_device_has_one() {
        let mut ana = Portrait::default();
        let token = |device: usize, token: &str| PushToken {
            device: device.to_string(),
            provider: PushProvider::Fcm,
            token: token.to_owned(),
            set_ms: 1,
        };
        for device in 0..=PUSH_TOKENS_LEN_MAX {
            changed(&mut ana, PersonChange::SetToken(token(device, &format!("t{device}")))).unwrap();
        }
        let devices =
            |ana: &Portrait| ana.tokens.iter().map(|known| known.device.clone()).collect::<Vec<_>>();
        assert_eq!(devices(&ana), ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
        changed(&mut ana, PersonChange::SetToken(token(4, "new"))).unwrap();
        // The app was installed anew on the same phone, and took another name for it.
        changed(&mut ana, PersonChange::SetToken(token(11, "t5"))).unwrap();
        changed(&mut ana, PersonChange::DropToken { device: "9".to_owned(), only: None }).unwrap();
        assert_eq!(devices(&ana), ["1", "2", "3", "6", "7", "8", "10", "4", "11"]);
        changed(&mut ana, PersonChange::Revoke).unwrap();
        assert!(ana.tokens.is_empty());
    }

    #[test]
    fn what_is_worthless_stays_so() {
        // Two revocations were under way at once, and the older one was committed last: it made good again what the
        // newer one had made worthless.
        let app = AppId(1);
        let user = UserId::new("ana").unwrap();
        let mut portrait = Portrait::default();
        for (now_ms, revoked_s) in [(105_900, 105), (100_000, 105), (106_000, 106)] {
            let wanted = ChangePerson { app, user, change: PersonChange::Revoke, now_ms };
            change_person(&wanted, &mut portrait).unwrap();
            assert_eq!(portrait.person.revoked_s, revoked_s);
        }
    }
}
