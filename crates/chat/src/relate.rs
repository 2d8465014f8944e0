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
        /// One more group, which has to exist.
        join: Option<String>,
        custom: Vec<(String, ProfileValue)>,
    },
    Unfriend {
        /// The other list loses its entry too.
        mutual: bool,
    },
    Block,
    Unblock,
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
    let needs_both = !matches!(relate.act, Approach::Unfriend { .. } | Approach::Unblock);
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
    };
    let effects = scene.effects;
    from.tie.kept_by_peer = to.tie.keeps_something();
    to.tie.kept_by_peer = from.tie.keeps_something();
    Ok(Outcome { effects, pending })
}

/// Takes someone who leaves out of whatever `peer` keeps of them. Returns what is new for the peer.
pub fn sever(peer: &mut Person, tie: &mut Tie) -> Vec<RelationNews> {
    let mut news = Vec::new();
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
    if tie.request.take().is_some() {
        peer.asked -= 1;
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
        let Approach::Befriend { mutual, forced, remark, group, source, wording, .. } = &self.relate.act
        else {
            unreachable!("the caller has looked at the act");
        };
        let limits = self.relate.limits;
        // Whoever has asked agrees, and gets what was asked for.
        let is_answer = self.from.tie.request.is_some();
        let adds_here = self.from.tie.friend.is_none();
        let adds_there = (*mutual || is_answer) && self.to.tie.friend.is_none();
        if !adds_here && !adds_there {
            return Err(NotRelated::AlreadyFriends);
        }
        if self.from.tie.blocked_s.is_some() {
            return Err(NotRelated::BlocksPeer);
        }
        if self.to.tie.blocked_s.is_some() {
            return Err(NotRelated::BlockedByPeer);
        }
        if adds_here && self.from.person().friends >= limits.friends_max {
            return Err(NotRelated::FriendsFull);
        }
        if adds_there && self.to.person().friends >= limits.friends_max {
            return Err(NotRelated::PeerFriendsFull);
        }
        if !forced && !is_answer {
            if !self.from.person().may_ask {
                return Err(NotRelated::MayNotAsk);
            }
            match self.to.person().admission {
                Admission::Anyone => {}
                Admission::Nobody => return Err(NotRelated::PeerRefuses),
                Admission::Asked => return self.ask(),
            }
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
        self.to.drop_request();
        self.befriended(adds_here, adds_there, is_answer);
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

    fn befriended(&mut self, here: bool, there: bool, accepted: bool) {
        let Approach::Befriend { forced, admin, .. } = self.relate.act else {
            unreachable!("the caller has looked at the act");
        };
        let Relate { from, to, .. } = *self.relate;
        if here {
            self.news(from, to, RelationNews::Befriended);
        }
        if there {
            self.news(to, from, RelationNews::Befriended);
        }
        // Told of the list that got an entry; of both, if both did.
        let (owner, other) = if here { (from, to) } else { (to, from) };
        let relation = Befriended { initiator: from, mutual: here && there, accepted, admin, forced };
        self.fact(owner, other, Relation::Befriended(relation));
    }

    /// Leaves the wish with the other. Asking again replaces it.
    fn ask(&mut self) -> Result<bool, NotRelated> {
        let Approach::Befriend { mutual, remark, group, source, wording, .. } = &self.relate.act else {
            unreachable!("the caller has looked at the act");
        };
        let Relate { from, to, limits, now_ms, .. } = *self.relate;
        if self.to.tie.request.is_none() {
            let person = self.to.person();
            if person.asked >= limits.requests_max {
                return Err(NotRelated::RequestsFull);
            }
            person.asked += 1;
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
        } else {
            person.friends_version += 1;
            self.from.tie.friend = Some(entry);
        }
        self.news(from, to, if is_new { RelationNews::Befriended } else { RelationNews::Noted });
        Ok(false)
    }

    fn note(&mut self) -> Result<bool, NotRelated> {
        let Approach::Note { remark, groups, join, custom } = &self.relate.act else {
            unreachable!("the caller has looked at the act");
        };
        let Relate { from, to, limits, .. } = *self.relate;
        let Party { person, tie } = &mut *self.from;
        let person = person.as_mut().expect("acts that need an account have looked for it");
        let friend = tie.friend.as_mut().ok_or(NotRelated::NotFriends)?;
        if let Some(names) = groups {
            friend.groups = person.groups_named(names, limits.groups_max).ok_or(NotRelated::GroupsFull)?;
        }
        if let Some(name) = join {
            let group = person.groups.iter().find(|group| group.name == *name);
            let id = group.ok_or(NotRelated::NoSuchGroup)?.id;
            if !friend.groups.contains(&id) {
                friend.groups.push(id);
            }
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
        self.from.drop_request();
        self.to.drop_request();
        self.news(from, to, RelationNews::Blocked);
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

    fn news(&mut self, user: UserId, peer: UserId, how: RelationNews) {
        self.effects.enter(user, Change::Relation { peer, how }, 0);
    }

    fn fact(&mut self, from: UserId, to: UserId, relation: Relation) {
        self.effects.facts.push(Fact::Relation(RelationChange { from, to, relation }));
    }
}
