//! Friends: the list, and how others get onto it and off it.

use super::super::{Asked, unavailable};
use super::{ANSWER_BYTES_MAX, check_size, not_related, user, values_bytes};
use crate::translate;
use chat::UserId;
use chat::person::{Listed, Person, Portrait, Tie};
use chat::port::TieList;
use chat::relate::Approach;
use protocol::client::{
    Asking, Befriend, Friend, FriendList, ListPage, NoteFriend, PeopleReply, Reply, Values,
};
use protocol::rest::Command;
use protocol::rest::profile::TagValue;
use protocol::rest::sns::Relation;
use protocol::{ErrorCode, Failure};
use std::borrow::Cow;

/// Somebody on a list, with everything of them that is shown.
struct Shown<'a> {
    entry: &'a Listed,
    groups: Vec<&'a str>,
    custom: Vec<(&'a str, TagValue<'a>)>,
    profile: Vec<(&'a str, TagValue<'a>)>,
}

impl Asked<'_> {
    pub(super) async fn friends(
        &self,
        id: u64,
        page: &ListPage<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let own = self.own_person().await?;
        let (listed, next) = self.listed(TieList::Friends, page).await?;
        let people = self.portraits(names(&listed)).await?;
        let mut shown = self.shown(&listed, &people, &own);
        let next = end_page(&mut shown, next);
        write_friends(id, &own, &shown, next.as_ref(), out);
        Ok(())
    }

    pub(super) async fn friends_among(
        &self,
        id: u64,
        peers: &[Cow<'_, str>],
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let own = self.own_person().await?;
        let peers = peers.iter().map(|peer| user(peer)).collect::<Result<Vec<_>, _>>()?;
        let ties = self.ties(peers.iter().map(|peer| [self.caller.user, *peer])).await?;
        let listed: Vec<Listed> = peers
            .into_iter()
            .zip(ties)
            .filter(|(_, tie)| TieList::Friends.has(tie))
            .map(|(peer, tie)| Listed { peer, tie })
            .collect();
        let people = self.portraits(names(&listed)).await?;
        let shown = self.shown(&listed, &people, &own);
        check_size(shown.iter().map(Shown::size_bytes).sum())?;
        write_friends(id, &own, &shown, None, out);
        Ok(())
    }

    pub(super) async fn befriend(
        &self,
        id: u64,
        wire: Befriend<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let act = Approach::Befriend {
            mutual: wire.mutual,
            forced: false,
            discreet: !self.caller.app.tells_blocked,
            admin: None,
            remark: wire.remark.into_owned(),
            group: wire.group.map(Cow::into_owned),
            source: wire.source.into_owned(),
            wording: wire.wording.into_owned(),
        };
        let pending = self.relate(user(&wire.peer)?, act).await?;
        let pending = pending.map_err(|refusal| not_related(Command::FriendAdd, refusal))?;
        Reply::People(PeopleReply::Befriended { pending }).write(id, out);
        Ok(())
    }

    pub(super) async fn check_friends(
        &self,
        id: u64,
        peers: &[Cow<'_, str>],
        mutual: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let me = self.caller.user;
        let users = peers.iter().map(|peer| user(peer)).collect::<Result<Vec<_>, _>>()?;
        let here = self.ties(users.iter().map(|peer| [me, *peer])).await?;
        let there = match mutual {
            true => self.ties(users.iter().map(|peer| [*peer, me])).await?,
            false => vec![Tie::default(); users.len()],
        };
        let has = |tie: &Tie| TieList::Friends.has(tie);
        let relations: Vec<_> = peers
            .iter()
            .zip(here.iter().zip(&there))
            .map(|(peer, (here, there))| (&**peer, Relation::new(has(here), has(there))))
            .collect();
        Reply::People(PeopleReply::Relations(&relations)).write(id, out);
        Ok(())
    }

    pub(super) async fn note_friend(
        &self,
        id: u64,
        wire: NoteFriend<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let owned = |names: Vec<Cow<'_, str>>| names.into_iter().map(Cow::into_owned).collect();
        let act = Approach::Note {
            remark: wire.remark.map(Cow::into_owned),
            groups: wire.groups.map(owned),
            join: Vec::new(),
            leave: Vec::new(),
            custom: translate::people::friend_notes(wire.custom)?,
        };
        self.relate_one(id, &wire.peer, act, out).await
    }

    pub(super) async fn requests(
        &self,
        id: u64,
        page: &ListPage<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let own = self.own_person().await?;
        let (listed, next) = self.listed(TieList::Requests, page).await?;
        let people = self.portraits(names(&listed)).await?;
        let mut shown = self.shown(&listed, &people, &own);
        let next = end_page(&mut shown, next);
        let requests: Vec<_> = shown.iter().filter_map(Shown::asking).collect();
        let next = next.as_ref().map(UserId::as_str);
        Reply::People(PeopleReply::Requests { requests: &requests, next }).write(id, out);
        Ok(())
    }

    /// What the rules know of the user, who may have been deleted since the login.
    async fn own_person(&self) -> Result<Person, Failure> {
        let own = self.portraits(vec![self.caller.user]).await?.pop().flatten();
        own.map(|own| own.person).ok_or_else(|| ErrorCode::RelationAccountNotFound.into())
    }

    async fn ties(&self, pairs: impl Iterator<Item = [UserId; 2]>) -> Result<Vec<Tie>, Failure> {
        self.gateway.chat.store.ties(self.caller.app.id, pairs.collect()).await.map_err(unavailable)
    }

    fn shown<'a>(
        &self,
        listed: &'a [Listed],
        people: &'a [Option<Portrait>],
        own: &'a Person,
    ) -> Vec<Shown<'a>> {
        let shown = |(entry, portrait): (&'a Listed, &'a Option<Portrait>)| {
            let friend = entry.tie.friend.as_ref();
            Shown {
                entry,
                groups: friend.map(|friend| own.group_names(&friend.groups)).unwrap_or_default(),
                custom: friend
                    .map(|friend| translate::people::own_profile(&friend.custom))
                    .unwrap_or_default(),
                profile: portrait
                    .as_ref()
                    .map(|portrait| self.profile_of(&entry.peer, portrait))
                    .unwrap_or_default(),
            }
        };
        listed.iter().zip(people).map(shown).collect()
    }
}

impl Shown<'_> {
    /// What it has of what people wrote.
    fn size_bytes(&self) -> usize {
        values_bytes(&self.custom) + values_bytes(&self.profile)
    }

    fn friend(&self) -> Option<Friend<'_>> {
        let friend = self.entry.tie.friend.as_ref()?;
        Some(Friend {
            peer: self.entry.peer.as_str(),
            time_s: friend.added_s,
            remark: &friend.remark,
            groups: &self.groups,
            source: &friend.source,
            wording: &friend.wording,
            custom: self.custom(),
            profile: self.profile(),
        })
    }

    fn asking(&self) -> Option<Asking<'_>> {
        let wish = self.entry.tie.request.as_ref()?;
        Some(Asking {
            peer: self.entry.peer.as_str(),
            time_s: wish.asked_s,
            mutual: wish.mutual,
            source: &wish.source,
            wording: &wish.wording,
            profile: self.profile(),
        })
    }

    fn custom(&self) -> &Values<'_> {
        &self.custom
    }

    fn profile(&self) -> &Values<'_> {
        &self.profile
    }
}

fn names(listed: &[Listed]) -> Vec<UserId> {
    listed.iter().map(|entry| entry.peer).collect()
}

/// Ends a page where it becomes too large, though never before its first entry. Returns where the next one goes on.
fn end_page(shown: &mut Vec<Shown<'_>>, next: Option<UserId>) -> Option<UserId> {
    let mut bytes = 0;
    let fitting = shown.iter().take_while(|shown| {
        bytes += shown.size_bytes();
        bytes <= ANSWER_BYTES_MAX
    });
    let fitting = fitting.count().max(1);
    if fitting >= shown.len() {
        return next;
    }
    shown.truncate(fitting);
    shown.last().map(|shown| shown.entry.peer)
}

fn write_friends(id: u64, own: &Person, shown: &[Shown<'_>], next: Option<&UserId>, out: &mut Vec<u8>) {
    let friends: Vec<_> = shown.iter().filter_map(Shown::friend).collect();
    let groups: Vec<&str> = own.groups.iter().map(|group| group.name.as_str()).collect();
    let list = FriendList { friends: &friends, next: next.map(UserId::as_str), groups: &groups };
    Reply::People(PeopleReply::Friends(list)).write(id, out);
}
