//! Friends and blocklists: what one person may do about another, and what it makes of both.
//!
//! Here once, as [`crate::append`] is: a store loads what it has of the two people, lets [`relate`] change it, and
//! keeps the results.

use crate::conversation::{Change, RelationNews};
use crate::effect::{Effects, Told};
use crate::event::{Befriended, Fact, Origin, ProfileValue, Relation, RelationChange};
use crate::id::{AppId, UserId};
use crate::person::{Admission, Friend, FriendRequest, Person, Tie};

/// Something that `from` does about `to`.
#[derive(Debug, Clone)]
pub struct Relate {
    pub app: AppId,
    pub from: UserId,
    pub to: UserId,
    pub act: Approach,
    pub limits: RelationLimits,
    pub now_ms: u64,
    pub origin: Origin,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approach {
    /// Puts the other on the friend list, or asks for it.
    Befriend {
        /// Both get the other.
        mutual: bool,
        /// Nobody is asked.
        forced: bool,
        /// One whom the other blocks is answered like anybody else, and cannot tell. The other's list stays as it is.
        discreet: bool,
        /// Who does it over REST.
        admin: Option<UserId>,
        remark: String,
        group: Option<String>,
        source: String,
        wording: String,
    },
    /// Puts the other on the friend list as it was elsewhere. One who is there already is overwritten. No event.
    Import {
        entry: Friend,
        groups: Vec<String>,
    },
    /// Changes what is noted of a friend; `None` leaves what is there.
    Note {
        remark: Option<String>,
        /// Exactly these groups.
        groups: Option<Vec<String>>,
        /// Further groups, which have to exist.
        join: Vec<String>,
        /// Groups that the friend is taken out of, which have to exist.
        leave: Vec<String>,
        custom: Vec<(String, ProfileValue)>,
    },
    Unfriend {
        /// The other list loses its entry too.
        mutual: bool,
    },
    Block,
    Unblock,
    /// Grants the other's wish to be friends.
    Accept {
        /// The other is put on this list too.
        mutual: bool,
        remark: String,
    },
    /// Drops the other's wish to be friends. The other is told nothing.
    Refuse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelationLimits {
    pub friends_max: u32,
    pub blocked_max: u32,
    pub groups_max: usize,
    pub requests_max: u32,
    /// The app's own notes of one friend.
    pub custom_max: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Related {
    Done(Told),
    /// The other has to agree.
    Pending(Told),
    Refused(NotRelated),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotRelated {
    UnknownAccount,
    Oneself,
    AlreadyFriends,
    NotFriends,
    AlreadyBlocked,
    NotBlocked,
    BlocksPeer,
    BlockedByPeer,
    MayNotAsk,
    PeerRefuses,
    FriendsFull,
    PeerFriendsFull,
    GroupsFull,
    RequestsFull,
    BlocklistFull,
    TooManyNotes,
    NoSuchGroup,
    /// The other does not wish to be friends, or not any more.
    NotAsked,
}

/// One of two people, with what is kept of the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// `None` without an account.
    pub person: Option<Person>,
    pub tie: Tie,
}

/// What came of it, before it is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub effects: Effects,
    /// The other has to agree.
    pub pending: bool,
}

/// Does it to the two parties. After a refusal they are to be dropped.
pub fn relate(relate: &Relate, from: &mut Party, to: &mut Party) -> Result<Outcome, NotRelated> {
    if relate.from == relate.to {
        return Err(NotRelated::Oneself);
    }
    let needs_both = !matches!(relate.act, Approach::Unfriend { .. } | Approach::Unblock | Approach::Refuse);
    if from.person.is_none() || (needs_both && to.person.is_none()) {
        return Err(NotRelated::UnknownAccount);
    }
    let mut scene = Scene { relate, from, to, effects: Effects::default() };
    let pending = match &relate.act {
        Approach::Befriend { .. } => scene.befriend()?,
        Approach::Import { entry, groups } => scene.import(entry, groups)?,
        Approach::Note { .. } => scene.note()?,
        Approach::Unfriend { mutual } => scene.unfriend(*mutual)?,
        Approach::Block => scene.block()?,
        Approach::Unblock => scene.unblock()?,
        Approach::Accept { mutual, remark } => scene.accept(*mutual, remark)?,
        Approach::Refuse => scene.refuse()?,
    };
    let effects = scene.effects;
    from.tie.kept_by_peer = to.tie.keeps_something();
    to.tie.kept_by_peer = from.tie.keeps_something();
    Ok(Outcome { effects, pending })
}

/// Takes someone who leaves out of whatever `peer` keeps of them. Returns what is new for the peer.
pub fn sever(peer: &mut Person, tie: &mut Tie) -> Vec<RelationNews> {
    let mut news = Vec::new();
    if tie.request.take().is_some() {
        peer.asked -= 1;
        news.push(RelationNews::Unasked);
    }
    if tie.friend.take().is_some() {
        peer.friends -= 1;
        peer.friends_version += 1;
        news.push(RelationNews::Unfriended);
    }
    if tie.blocked_s.take().is_some() {
        peer.blocked -= 1;
        peer.blocklist_version += 1;
        news.push(RelationNews::Unblocked);
    }
    tie.kept_by_peer = false;
    news
}

struct Scene<'a> {
    relate: &'a Relate,
    from: &'a mut Party,
    to: &'a mut Party,
    effects: Effects,
}

impl Party {
    fn person(&mut self) -> &mut Person {
        self.person.as_mut().expect("acts that need an account have looked for it")
    }

    fn add(&mut self, friend: Friend) {
        let person = self.person();
        person.friends += 1;
        person.friends_version += 1;
        self.tie.friend = Some(friend);
    }

    fn drop_friend(&mut self) -> bool {
        let had = self.tie.friend.take().is_some();
        if let Some(person) = self.person.as_mut().filter(|_| had) {
            person.friends -= 1;
            person.friends_version += 1;
        }
        had
    }

    fn drop_request(&mut self) -> Option<FriendRequest> {
        let request = self.tie.request.take()?;
        if let Some(person) = &mut self.person {
            person.asked -= 1;
        }
        Some(request)
    }
}

impl Scene<'_> {
    fn befriend(&mut self) -> Result<bool, NotRelated> {
        let Approach::Befriend { mutual, forced, discreet, remark, group, source, wording, .. } =
            &self.relate.act
        else {
            unreachable!("the caller has looked at the act");
        };
        let limits = self.relate.limits;
        let is_blocked = self.to.tie.blocked_s.is_some();
        let is_fooled = is_blocked && *discreet;
        // Whoever has asked agrees, and gets what was asked for.
        let is_answer = self.from.tie.request.is_some();
        let adds_here = self.from.tie.friend.is_none();
        let adds_there = (*mutual || is_answer) && self.to.tie.friend.is_none() && !is_fooled;
        if !adds_here && !adds_there {
            return Err(NotRelated::AlreadyFriends);
        }
        if self.from.tie.blocked_s.is_some() {
            return Err(NotRelated::BlocksPeer);
        }
        if is_blocked && !is_fooled {
            return Err(NotRelated::BlockedByPeer);
        }
        if adds_here && self.from.person().friends >= limits.friends_max {
            return Err(NotRelated::FriendsFull);
        }
        if adds_there && self.to.person().friends >= limits.friends_max {
            return Err(NotRelated::PeerFriendsFull);
        }
        if !forced && !is_answer && self.has_to_ask()? {
            return self.ask();
        }
        let now_s = self.relate.now_ms / 1000;
        if adds_here {
            let names: Vec<String> = group.iter().cloned().collect();
            let groups = self.from.person().groups_named(&names, limits.groups_max);
            self.from.add(Friend {
                added_s: now_s,
                remark: remark.clone(),
                groups: groups.ok_or(NotRelated::GroupsFull)?,
                source: source.clone(),
                wording: wording.clone(),
                ..Friend::default()
            });
        }
        let wish = self.from.drop_request();
        if wish.is_some() && !adds_here {
            self.news(self.relate.from, self.relate.to, RelationNews::Unasked);
        }
        if adds_there {
            let friend = match wish {
                Some(wish) => self.wished(wish, now_s),
                None => Friend {
                    added_s: now_s,
                    source: source.clone(),
                    wording: wording.clone(),
                    ..Friend::default()
                },
            };
            self.to.add(friend);
        }
        if self.to.drop_request().is_some() && !adds_there {
            self.news(self.relate.to, self.relate.from, RelationNews::Unasked);
        }
        let initiator = if is_answer { self.relate.to } else { self.relate.from };
        self.befriended([adds_here, adds_there], initiator, is_answer);
        Ok(false)
    }

    /// Whether the other is asked first, if both let that happen.
    fn has_to_ask(&mut self) -> Result<bool, NotRelated> {
        if !self.from.person().may_ask {
            return Err(NotRelated::MayNotAsk);
        }
        match self.to.person().admission {
            Admission::Anyone => Ok(false),
            Admission::Nobody => Err(NotRelated::PeerRefuses),
            Admission::Asked => Ok(true),
        }
    }

    fn accept(&mut self, mutual: bool, remark: &str) -> Result<bool, NotRelated> {
        let Relate { from, to, limits, now_ms, .. } = *self.relate;
        let adds_here = mutual && self.from.tie.friend.is_none();
        let adds_there = self.to.tie.friend.is_none();
        let wish = self.from.drop_request().ok_or(NotRelated::NotAsked)?;
        if adds_here && self.from.person().friends >= limits.friends_max {
            return Err(NotRelated::FriendsFull);
        }
        if adds_there && self.to.person().friends >= limits.friends_max {
            return Err(NotRelated::PeerFriendsFull);
        }
        let now_s = now_ms / 1000;
        if adds_here {
            self.from.add(Friend {
                added_s: now_s,
                remark: remark.to_owned(),
                source: wish.source.clone(),
                wording: wish.wording.clone(),
                ..Friend::default()
            });
        } else {
            self.news(from, to, RelationNews::Unasked);
        }
        if adds_there {
            let friend = self.wished(wish, now_s);
            self.to.add(friend);
        }
        if self.to.drop_request().is_some() && !adds_there {
            self.news(to, from, RelationNews::Unasked);
        }
        self.befriended([adds_here, adds_there], to, true);
        Ok(false)
    }

    /// The entry that the one who asked gets. One whose groups are full by now goes without the group: it is not for
    /// the one who agrees to do something about that.
    fn wished(&mut self, wish: FriendRequest, now_s: u64) -> Friend {
        let names: Vec<String> = wish.group.into_iter().collect();
        let groups = self.to.person().groups_named(&names, self.relate.limits.groups_max);
        Friend {
            added_s: now_s,
            remark: wish.remark,
            groups: groups.unwrap_or_default(),
            source: wish.source,
            wording: wish.wording,
            ..Friend::default()
        }
    }

    fn befriended(&mut self, [here, there]: [bool; 2], initiator: UserId, accepted: bool) {
        let (forced, admin) = match self.relate.act {
            Approach::Befriend { forced, admin, .. } => (forced, admin),
            _ => (false, None),
        };
        let Relate { from, to, .. } = *self.relate;
        if !here && !there {
            return;
        }
        if here {
            self.news(from, to, RelationNews::Befriended);
        }
        if there {
            self.news(to, from, RelationNews::Befriended);
        }
        // Told of the list that got an entry; of both, if both did.
        let (owner, other) = if here { (from, to) } else { (to, from) };
        let relation = Befriended { initiator, mutual: here && there, accepted, admin, forced };
        self.fact(owner, other, Relation::Befriended(relation));
    }

    /// Leaves the wish with the other. Asking again replaces it.
    fn ask(&mut self) -> Result<bool, NotRelated> {
        let Approach::Befriend { mutual, remark, group, source, wording, .. } = &self.relate.act else {
            unreachable!("the caller has looked at the act");
        };
        let Relate { from, to, limits, now_ms, .. } = *self.relate;
        if self.to.tie.request.is_none() && self.to.person().asked >= limits.requests_max {
            return Err(NotRelated::RequestsFull);
        }
        if self.to.tie.blocked_s.is_some() {
            // Nobody who blocks is asked; to the one who asks, it looks as if nobody answered.
            return Ok(true);
        }
        if self.to.tie.request.is_none() {
            self.to.person().asked += 1;
        }
        self.to.tie.request = Some(FriendRequest {
            asked_s: now_ms / 1000,
            mutual: *mutual,
            remark: remark.clone(),
            group: group.clone(),
            source: source.clone(),
            wording: wording.clone(),
        });
        self.news(to, from, RelationNews::Asked);
        Ok(true)
    }

    fn import(&mut self, entry: &Friend, groups: &[String]) -> Result<bool, NotRelated> {
        let Relate { from, to, limits, .. } = *self.relate;
        let is_new = self.from.tie.friend.is_none();
        let person = self.from.person();
        if is_new && person.friends >= limits.friends_max {
            return Err(NotRelated::FriendsFull);
        }
        if entry.custom.len() > limits.custom_max {
            return Err(NotRelated::TooManyNotes);
        }
        let groups = person.groups_named(groups, limits.groups_max).ok_or(NotRelated::GroupsFull)?;
        let entry = Friend { groups, ..entry.clone() };
        if is_new {
            self.from.add(entry);
            // A friend is not asked about any more: to devices, word of the friendship says so.
            self.from.drop_request();
        } else {
            person.friends_version += 1;
            self.from.tie.friend = Some(entry);
        }
        self.news(from, to, if is_new { RelationNews::Befriended } else { RelationNews::Noted });
        Ok(false)
    }

    fn note(&mut self) -> Result<bool, NotRelated> {
        let Approach::Note { remark, groups, join, leave, custom } = &self.relate.act else {
            unreachable!("the caller has looked at the act");
        };
        let Relate { from, to, limits, .. } = *self.relate;
        let Party { person, tie } = &mut *self.from;
        let person = person.as_mut().expect("acts that need an account have looked for it");
        let friend = tie.friend.as_mut().ok_or(NotRelated::NotFriends)?;
        if let Some(names) = groups {
            friend.groups = person.groups_named(names, limits.groups_max).ok_or(NotRelated::GroupsFull)?;
        }
        friend.groups.retain(|id| person.groups.iter().any(|group| group.id == *id));
        let number = |name: &String| {
            let group = person.groups.iter().find(|group| group.name == *name);
            group.map(|group| group.id).ok_or(NotRelated::NoSuchGroup)
        };
        for name in join {
            let id = number(name)?;
            if !friend.groups.contains(&id) {
                friend.groups.push(id);
            }
        }
        for name in leave {
            let id = number(name)?;
            friend.groups.retain(|known| *known != id);
        }
        if let Some(remark) = remark {
            friend.remark.clone_from(remark);
        }
        friend.custom.extend(custom.iter().cloned());
        if friend.custom.len() > limits.custom_max {
            return Err(NotRelated::TooManyNotes);
        }
        person.friends_version += 1;
        self.news(from, to, RelationNews::Noted);
        Ok(false)
    }

    fn unfriend(&mut self, mutual: bool) -> Result<bool, NotRelated> {
        let Relate { from, to, .. } = *self.relate;
        let here = self.from.drop_friend();
        let there = mutual && self.to.drop_friend();
        if !here && !there {
            return Err(NotRelated::NotFriends);
        }
        self.unfriended((from, here), (to, there));
        Ok(false)
    }

    fn unfriended(&mut self, (from, here): (UserId, bool), (to, there): (UserId, bool)) {
        if here {
            self.news(from, to, RelationNews::Unfriended);
        }
        if there {
            self.news(to, from, RelationNews::Unfriended);
        }
        if here || there {
            let (owner, other) = if here { (from, to) } else { (to, from) };
            self.fact(owner, other, Relation::Unfriended { mutual: here && there });
        }
    }

    /// Ends the friendship as well, and whatever was asked.
    fn block(&mut self) -> Result<bool, NotRelated> {
        let Relate { from, to, limits, now_ms, .. } = *self.relate;
        if self.from.tie.blocked_s.is_some() {
            return Err(NotRelated::AlreadyBlocked);
        }
        let person = self.from.person();
        if person.blocked >= limits.blocked_max {
            return Err(NotRelated::BlocklistFull);
        }
        person.blocked += 1;
        person.blocklist_version += 1;
        self.from.tie.blocked_s = Some(now_ms / 1000);
        // To the one who blocks, the news of it says as well that nothing waits for an answer any more.
        self.from.drop_request();
        let was_asked = self.to.drop_request().is_some();
        self.news(from, to, RelationNews::Blocked);
        if was_asked {
            self.news(to, from, RelationNews::Unasked);
        }
        self.fact(from, to, Relation::Blocked);
        let (here, there) = (self.from.drop_friend(), self.to.drop_friend());
        self.unfriended((from, here), (to, there));
        Ok(false)
    }

    fn unblock(&mut self) -> Result<bool, NotRelated> {
        let Relate { from, to, .. } = *self.relate;
        self.from.tie.blocked_s.take().ok_or(NotRelated::NotBlocked)?;
        let person = self.from.person();
        person.blocked -= 1;
        person.blocklist_version += 1;
        self.news(from, to, RelationNews::Unblocked);
        self.fact(from, to, Relation::Unblocked);
        Ok(false)
    }

    fn refuse(&mut self) -> Result<bool, NotRelated> {
        self.from.drop_request().ok_or(NotRelated::NotAsked)?;
        self.news(self.relate.from, self.relate.to, RelationNews::Unasked);
        Ok(false)
    }

    fn news(&mut self, user: UserId, peer: UserId, how: RelationNews) {
        self.effects.enter(user, Change::Relation { peer, how }, 0);
    }

    fn fact(&mut self, from: UserId, to: UserId, relation: Relation) {
        self.effects.facts.push(Fact::Relation(RelationChange { from, to, relation }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Platform;
    use crate::person::FriendGroup;
    use std::net::{IpAddr, Ipv4Addr};

    const LIMITS: RelationLimits =
        RelationLimits { friends_max: 3, blocked_max: 2, groups_max: 1, requests_max: 2, custom_max: 1 };

    fn user(text: &str) -> UserId {
        UserId::new(text).unwrap()
    }

    fn wanted(act: Approach) -> Relate {
        let origin = Origin { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), platform: Platform::Web };
        Relate {
            app: AppId(1),
            from: user("ana"),
            to: user("bo"),
            act,
            limits: LIMITS,
            now_ms: 9_000,
            origin,
        }
    }

    fn befriend(mutual: bool, forced: bool, group: Option<&str>) -> Approach {
        let group = group.map(str::to_owned);
        let [remark, source, wording] = ["remark", "source", "wording"].map(str::to_owned);
        Approach::Befriend { mutual, forced, discreet: false, admin: None, remark, group, source, wording }
    }

    fn discreet(mutual: bool) -> Approach {
        let Approach::Befriend { remark, source, wording, .. } = befriend(mutual, false, None) else {
            unreachable!("what it makes");
        };
        let (forced, admin, group) = (false, None, None);
        Approach::Befriend { mutual, forced, discreet: true, admin, remark, group, source, wording }
    }

    fn accept(mutual: bool) -> Approach {
        Approach::Accept { mutual, remark: "remark".to_owned() }
    }

    fn note(groups: Option<&[&str]>, join: &[&str], notes: &[&str]) -> Approach {
        let custom = notes.iter().map(|tag| ((*tag).to_owned(), ProfileValue::Number(1))).collect();
        let owned = |groups: &[&str]| groups.iter().map(|group| (*group).to_owned()).collect();
        let leave = Vec::new();
        Approach::Note { remark: None, groups: groups.map(owned), join: owned(join), leave, custom }
    }

    fn leave(groups: &[&str]) -> Approach {
        let leave = groups.iter().map(|group| (*group).to_owned()).collect();
        Approach::Note { remark: None, groups: None, join: Vec::new(), leave, custom: Vec::new() }
    }

    fn import(groups: &[&str]) -> Approach {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Approach::Import { entry: Friend { added_s: 1, ..Friend::default() }, groups }
    }

    fn request(group: Option<&str>) -> FriendRequest {
        FriendRequest {
            asked_s: 2,
            mutual: false,
            remark: "wish".to_owned(),
            group: group.map(str::to_owned),
            source: String::new(),
            wording: String::new(),
        }
    }

    /// Two people who have nothing to do with one another.
    fn strangers() -> [Party; 2] {
        [(); 2].map(|()| Party { person: Some(Person::default()), tie: Tie::default() })
    }

    fn befriended(party: &mut Party) {
        party.add(Friend::default());
    }

    fn blocking(party: &mut Party) {
        party.tie.blocked_s = Some(1);
        party.person().blocked += 1;
    }

    fn asked(party: &mut Party) {
        party.tie.request = Some(request(None));
        party.person().asked += 1;
    }

    /// What the log entries say, by the one who gets them.
    fn news(outcome: &Outcome) -> Vec<(&str, RelationNews)> {
        let entries = outcome.effects.entries.iter();
        let told = entries.map(|entry| match entry.change {
            Change::Relation { how, .. } => (entry.user.as_str(), how),
            other => panic!("{other:?}"),
        });
        told.collect()
    }

    fn relations(outcome: &Outcome) -> Vec<(&str, Relation)> {
        let told = outcome.effects.facts.iter().map(|fact| match fact {
            Fact::Relation(change) => (change.from.as_str(), change.relation),
            other => panic!("{other:?}"),
        });
        told.collect()
    }

    #[test]
    fn what_stands_in_the_way_of_an_approach() {
        type Prepare = fn(&mut Party, &mut Party);
        let plain = || befriend(true, false, None);
        let unfriend = |mutual| Approach::Unfriend { mutual };
        let table: &[(Approach, Prepare, Result<bool, NotRelated>)] = &[
            (plain(), |_, _| {}, Ok(false)),
            (plain(), |_, there| there.person = None, Err(NotRelated::UnknownAccount)),
            (plain(), |here, _| here.person = None, Err(NotRelated::UnknownAccount)),
            (plain(), |here, _| blocking(here), Err(NotRelated::BlocksPeer)),
            (plain(), |_, there| blocking(there), Err(NotRelated::BlockedByPeer)),
            (plain(), |here, _| here.person().may_ask = false, Err(NotRelated::MayNotAsk)),
            (plain(), |_, there| there.person().may_ask = false, Ok(false)),
            (plain(), |_, there| there.person().admission = Admission::Nobody, Err(NotRelated::PeerRefuses)),
            (plain(), |_, there| there.person().admission = Admission::Asked, Ok(true)),
            (
                plain(),
                |_, there| {
                    there.person().admission = Admission::Asked;
                    there.person().asked = 2;
                },
                Err(NotRelated::RequestsFull),
            ),
            (
                plain(),
                |_, there| {
                    there.person().admission = Admission::Asked;
                    there.person().asked = 1;
                    asked(there);
                },
                Ok(true),
            ),
            (befriend(true, true, None), |_, there| there.person().admission = Admission::Nobody, Ok(false)),
            (befriend(true, true, None), |_, there| blocking(there), Err(NotRelated::BlockedByPeer)),
            (plain(), |here, _| here.person().friends = 3, Err(NotRelated::FriendsFull)),
            (plain(), |_, there| there.person().friends = 3, Err(NotRelated::PeerFriendsFull)),
            (befriend(false, false, None), |_, there| there.person().friends = 3, Ok(false)),
            (plain(), |here, _| befriended(here), Ok(false)),
            (befriend(false, false, None), |here, _| befriended(here), Err(NotRelated::AlreadyFriends)),
            (
                plain(),
                |here, there| {
                    befriended(here);
                    befriended(there);
                },
                Err(NotRelated::AlreadyFriends),
            ),
            (
                befriend(true, false, Some("new")),
                |here, _| here.person().groups = vec![FriendGroup { id: 1, name: "old".to_owned() }],
                Err(NotRelated::GroupsFull),
            ),
            // Whoever was asked agrees, whatever the one who asks has decided since.
            (
                plain(),
                |here, there| {
                    asked(here);
                    there.person().admission = Admission::Nobody;
                },
                Ok(false),
            ),
            (discreet(true), |_, there| blocking(there), Ok(false)),
            (discreet(true), |here, _| blocking(here), Err(NotRelated::BlocksPeer)),
            (
                discreet(true),
                |_, there| {
                    blocking(there);
                    there.person().admission = Admission::Asked;
                },
                Ok(true),
            ),
            (
                discreet(true),
                |_, there| {
                    blocking(there);
                    there.person().admission = Admission::Nobody;
                },
                Err(NotRelated::PeerRefuses),
            ),
            (
                discreet(true),
                |here, there| {
                    blocking(there);
                    befriended(here);
                },
                Err(NotRelated::AlreadyFriends),
            ),
            (accept(true), |_, _| {}, Err(NotRelated::NotAsked)),
            (accept(true), |_, there| asked(there), Err(NotRelated::NotAsked)),
            (accept(true), |_, there| there.person = None, Err(NotRelated::UnknownAccount)),
            (accept(false), |here, _| asked(here), Ok(false)),
            (
                accept(true),
                |here, _| {
                    asked(here);
                    here.person().friends = 3;
                },
                Err(NotRelated::FriendsFull),
            ),
            (
                accept(false),
                |here, there| {
                    asked(here);
                    here.person().friends = 3;
                    there.person().friends = 3;
                },
                Err(NotRelated::PeerFriendsFull),
            ),
            (import(&[]), |_, there| blocking(there), Ok(false)),
            (import(&[]), |here, _| here.person().friends = 3, Err(NotRelated::FriendsFull)),
            (import(&["a", "b"]), |_, _| {}, Err(NotRelated::GroupsFull)),
            (note(None, &[], &[]), |_, _| {}, Err(NotRelated::NotFriends)),
            (note(None, &[], &["a", "b"]), |here, _| befriended(here), Err(NotRelated::TooManyNotes)),
            (note(None, &["a"], &[]), |here, _| befriended(here), Err(NotRelated::NoSuchGroup)),
            (note(Some(&["a"]), &["a"], &["a"]), |here, _| befriended(here), Ok(false)),
            (note(Some(&["a", "b"]), &[], &[]), |here, _| befriended(here), Err(NotRelated::GroupsFull)),
            (unfriend(false), |_, there| befriended(there), Err(NotRelated::NotFriends)),
            (unfriend(true), |_, there| befriended(there), Ok(false)),
            (Approach::Block, |here, _| blocking(here), Err(NotRelated::AlreadyBlocked)),
            (Approach::Block, |_, there| blocking(there), Ok(false)),
            (Approach::Block, |here, _| here.person().blocked = 2, Err(NotRelated::BlocklistFull)),
            (Approach::Unblock, |_, there| blocking(there), Err(NotRelated::NotBlocked)),
            (Approach::Unblock, |here, _| blocking(here), Ok(false)),
            (leave(&["a"]), |here, _| befriended(here), Err(NotRelated::NoSuchGroup)),
            (Approach::Refuse, |here, _| asked(here), Ok(false)),
            (Approach::Refuse, |_, there| asked(there), Err(NotRelated::NotAsked)),
            (Approach::Refuse, |_, there| there.person = None, Err(NotRelated::NotAsked)),
            (Approach::Refuse, |here, _| here.person = None, Err(NotRelated::UnknownAccount)),
        ];
        for (at, (act, prepare, expected)) in table.iter().enumerate() {
            let [mut here, mut there] = strangers();
            prepare(&mut here, &mut there);
            let outcome = relate(&wanted(act.clone()), &mut here, &mut there);
            assert_eq!(outcome.map(|outcome| outcome.pending), *expected, "{at}: {act:?}");
        }
        let [mut here, mut there] = strangers();
        let oneself = Relate { to: user("ana"), ..wanted(Approach::Block) };
        assert_eq!(relate(&oneself, &mut here, &mut there), Err(NotRelated::Oneself));
    }

    #[test]
    fn a_note_forgets_groups_that_are_gone() {
        let [mut here, mut there] = strangers();
        here.person().groups = vec![FriendGroup { id: 4, name: "home".to_owned() }];
        here.add(Friend { groups: vec![1, 4, 3], ..Friend::default() });
        relate(&wanted(note(None, &["home"], &[])), &mut here, &mut there).unwrap();
        assert_eq!(here.tie.friend.unwrap().groups, [4]);
    }

    #[test]
    fn a_friend_leaves_the_groups_that_are_named() {
        let [mut here, mut there] = strangers();
        let group = |id, name: &str| FriendGroup { id, name: name.to_owned() };
        here.person().groups = vec![group(4, "home"), group(5, "work")];
        here.add(Friend { groups: vec![4, 5], ..Friend::default() });
        let outcome = relate(&wanted(leave(&["home"])), &mut here, &mut there).unwrap();
        assert_eq!(news(&outcome), [("ana", RelationNews::Noted)]);
        relate(&wanted(leave(&["home"])), &mut here, &mut there).unwrap();
        assert_eq!(here.tie.friend.unwrap().groups, [5]);
    }

    #[test]
    fn a_request_that_is_gone_without_an_agreement_is_told_to_its_owner_alone() {
        type Prepare = fn(&mut Party, &mut Party);
        type Told<'a> = &'a [(&'a str, RelationNews)];
        let table: &[(Approach, Prepare, Told<'_>)] = &[
            (Approach::Refuse, |here, _| asked(here), &[("ana", RelationNews::Unasked)]),
            // To the one who blocks, the blocking says it.
            (Approach::Block, |here, _| asked(here), &[("ana", RelationNews::Blocked)]),
            (
                Approach::Block,
                |_, there| asked(there),
                &[("ana", RelationNews::Blocked), ("bo", RelationNews::Unasked)],
            ),
            (
                befriend(false, true, None),
                |_, there| asked(there),
                &[("bo", RelationNews::Unasked), ("ana", RelationNews::Befriended)],
            ),
            (
                befriend(true, true, None),
                |_, there| asked(there),
                &[("ana", RelationNews::Befriended), ("bo", RelationNews::Befriended)],
            ),
        ];
        for (act, prepare, expected) in table {
            let [mut here, mut there] = strangers();
            prepare(&mut here, &mut there);
            let outcome = relate(&wanted(act.clone()), &mut here, &mut there).unwrap();
            assert_eq!(news(&outcome), *expected, "{act:?}");
            for party in [here, there] {
                assert_eq!((party.person.unwrap().asked, party.tie.request), (0, None), "{act:?}");
            }
        }
    }

    #[test]
    fn whoever_was_asked_grants_what_was_asked_for() {
        let [mut here, mut there] = strangers();
        here.tie.request = Some(request(Some("work")));
        here.person().asked = 1;
        let outcome = relate(&wanted(befriend(false, false, None)), &mut here, &mut there).unwrap();
        assert_eq!(news(&outcome), [("ana", RelationNews::Befriended), ("bo", RelationNews::Befriended)]);
        let [(_, Relation::Befriended(how))] = relations(&outcome)[..] else { panic!("{outcome:?}") };
        assert!(how.accepted && how.mutual);
        let friend = there.tie.friend.unwrap();
        assert_eq!((friend.remark.as_str(), friend.groups, friend.added_s), ("wish", vec![1], 9));
        assert_eq!(here.tie.friend.unwrap().remark, "remark");
        assert_eq!((here.tie.request, here.person.unwrap().asked), (None, 0));
        assert_eq!(there.person.unwrap().friends, 1);

        // A group that there is no room for any more keeps nobody from agreeing.
        let [mut here, mut there] = strangers();
        here.tie.request = Some(request(Some("work")));
        here.person().asked = 1;
        there.person().groups = vec![FriendGroup { id: 4, name: "home".to_owned() }];
        relate(&wanted(befriend(false, false, None)), &mut here, &mut there).unwrap();
        assert_eq!(there.tie.friend.unwrap().groups, [0_u32; 0]);
    }

    #[test]
    fn a_wish_is_granted() {
        let granted = |mutual| {
            let [mut here, mut there] = strangers();
            asked(&mut here);
            let outcome = relate(&wanted(accept(mutual)), &mut here, &mut there).unwrap();
            let [(owner, Relation::Befriended(how))] = relations(&outcome)[..] else { panic!("{outcome:?}") };
            let how = (owner == "ana", how.initiator.as_str() == "bo", how.mutual, how.accepted);
            let told =
                news(&outcome).into_iter().map(|(user, news)| (user == "ana", news)).collect::<Vec<_>>();
            let remarks = [&here, &there].map(|party| {
                let friend = party.tie.friend.as_ref();
                friend.map(|friend| friend.remark.clone())
            });
            assert_eq!((here.tie.request, here.person.unwrap().asked), (None, 0));
            (how, told, remarks)
        };
        let [remark, wish] = ["remark", "wish"].map(|text| Some(text.to_owned()));
        assert_eq!(
            granted(true),
            (
                (true, true, true, true),
                vec![(true, RelationNews::Befriended), (false, RelationNews::Befriended)],
                [remark, wish.clone()]
            )
        );
        assert_eq!(
            granted(false),
            (
                (false, true, false, true),
                vec![(true, RelationNews::Unasked), (false, RelationNews::Befriended)],
                [None, wish]
            )
        );

        // Who has the other already gets nothing new, and nobody has become a friend.
        let [mut here, mut there] = strangers();
        asked(&mut here);
        befriended(&mut there);
        let outcome = relate(&wanted(accept(false)), &mut here, &mut there).unwrap();
        assert_eq!(news(&outcome), [("ana", RelationNews::Unasked)]);
        assert_eq!(relations(&outcome), []);
    }

    #[test]
    fn who_is_blocked_cannot_tell() {
        // The list of the one who blocks stays as it is, and nobody waits for an answer.
        let [mut here, mut there] = strangers();
        blocking(&mut there);
        let outcome = relate(&wanted(discreet(true)), &mut here, &mut there).unwrap();
        assert_eq!(news(&outcome), [("ana", RelationNews::Befriended)]);
        assert!(here.tie.friend.is_some() && there.tie.friend.is_none());
        let [("ana", Relation::Befriended(how))] = relations(&outcome)[..] else { panic!("{outcome:?}") };
        assert!(!how.mutual);

        let [mut here, mut there] = strangers();
        blocking(&mut there);
        there.person().admission = Admission::Asked;
        let outcome = relate(&wanted(discreet(true)), &mut here, &mut there).unwrap();
        assert!(outcome.pending && outcome.effects.is_none());
        assert_eq!((there.tie.request, there.person.unwrap().asked), (None, 0));
    }

    #[test]
    fn the_facts_are_told_of_the_list_that_changed() {
        let befriended_as = |mutual| {
            let initiator = user("ana");
            Relation::Befriended(Befriended {
                initiator,
                mutual,
                accepted: false,
                admin: None,
                forced: false,
            })
        };
        type Prepare = fn(&mut Party, &mut Party);
        type Told<'a> = &'a [(&'a str, Relation)];
        let table: &[(Approach, Prepare, Told<'_>)] = &[
            (befriend(true, false, None), |_, _| {}, &[("ana", befriended_as(true))]),
            (befriend(false, false, None), |_, _| {}, &[("ana", befriended_as(false))]),
            (befriend(true, false, None), |here, _| befriended(here), &[("bo", befriended_as(false))]),
            (import(&[]), |_, _| {}, &[]),
            (note(None, &[], &[]), |here, _| befriended(here), &[]),
            (
                Approach::Unfriend { mutual: true },
                |here, there| {
                    befriended(here);
                    befriended(there);
                },
                &[("ana", Relation::Unfriended { mutual: true })],
            ),
            (
                Approach::Unfriend { mutual: true },
                |_, there| befriended(there),
                &[("bo", Relation::Unfriended { mutual: false })],
            ),
            (
                Approach::Unfriend { mutual: false },
                |here, there| {
                    befriended(here);
                    befriended(there);
                },
                &[("ana", Relation::Unfriended { mutual: false })],
            ),
            (Approach::Block, |_, _| {}, &[("ana", Relation::Blocked)]),
            (
                Approach::Block,
                |_, there| befriended(there),
                &[("ana", Relation::Blocked), ("bo", Relation::Unfriended { mutual: false })],
            ),
            (Approach::Unblock, |here, _| blocking(here), &[("ana", Relation::Unblocked)]),
        ];
        for (act, prepare, expected) in table {
            let [mut here, mut there] = strangers();
            prepare(&mut here, &mut there);
            let outcome = relate(&wanted(act.clone()), &mut here, &mut there).unwrap();
            assert_eq!(relations(&outcome), *expected, "{act:?}");
        }
    }

    #[test]
    fn counts_follow_the_ties() {
        let [mut here, mut there] = strangers();
        asked(&mut here);
        asked(&mut there);
        befriended(&mut here);
        befriended(&mut there);
        relate(&wanted(Approach::Block), &mut here, &mut there).unwrap();
        let expected = Person { blocked: 1, blocklist_version: 1, friends_version: 2, ..Person::default() };
        assert_eq!(here.person, Some(expected));
        assert_eq!(there.person, Some(Person { friends_version: 2, ..Person::default() }));
        assert_eq!(here.tie, Tie { blocked_s: Some(9), ..Tie::default() });
        assert_eq!(there.tie, Tie { kept_by_peer: true, ..Tie::default() });
        relate(&wanted(Approach::Unblock), &mut here, &mut there).unwrap();
        assert!(here.tie.is_nothing() && there.tie.is_nothing());
        assert_eq!(here.person.unwrap().blocked, 0);
    }

    #[test]
    fn who_leaves_is_taken_out_of_everything() {
        let [mut peer, _] = strangers();
        befriended(&mut peer);
        blocking(&mut peer);
        asked(&mut peer);
        peer.tie.kept_by_peer = true;
        let Party { person, mut tie } = peer;
        let mut person = person.unwrap();
        assert_eq!(
            sever(&mut person, &mut tie),
            [RelationNews::Unasked, RelationNews::Unfriended, RelationNews::Unblocked]
        );
        assert_eq!(person, Person { friends_version: 2, blocklist_version: 1, ..Person::default() });
        assert!(tie.is_nothing());
        assert_eq!(sever(&mut person, &mut tie), []);
    }
}
