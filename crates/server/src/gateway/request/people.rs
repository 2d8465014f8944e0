//! What a device asks about profiles, friends and the blocklist.
//!
//! Everything is seen from the device's user. Nobody learns here that somebody blocks them, and of those without an
//! account nothing is told.

mod friend;
mod group;

use super::{Asked, CHANGED_AT_ONCE_MAX, unavailable};
use crate::translate;
use chat::UserId;
use chat::person::{ChangePerson, Listed, PersonChange, PersonChanged, Portrait};
use chat::port::{ListQuery, TieList};
use chat::relate::{Approach, NotRelated, Relate, Related};
use futures_util::future::join_all;
use protocol::client::{ListPage, PeerResult, PeopleReply, PeopleRequest, Reply, UserProfile};
use protocol::limits::FRIENDS_PER_REQUEST_MAX;
use protocol::rest::Command;
use protocol::rest::profile::{StandardTag, Tag, TagValue};
use protocol::{ErrorCode, Failure};
use std::borrow::Cow;

/// Entries of a list on one page.
const PAGE_LEN_MAX: usize = FRIENDS_PER_REQUEST_MAX;
/// What an answer may have of what people wrote, in bytes. A page ends before that; whoever names people asks for fewer.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

impl Asked<'_> {
    pub(super) async fn people(
        &self,
        id: u64,
        request: PeopleRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        use PeopleRequest as P;
        match request {
            P::Profiles { users } => self.profiles(id, &users, out).await,
            P::SetProfile { items } => self.set_profile(id, items, out).await,
            P::Friends(page) => self.friends(id, &page, out).await,
            P::FriendsAmong { peers } => self.friends_among(id, &peers, out).await,
            P::Befriend(befriend) => self.befriend(id, befriend, out).await,
            P::Unfriend { peers, mutual } => {
                let act = || Approach::Unfriend { mutual };
                let done = self.relate_each(Command::FriendDelete, &peers, act).await?;
                write_results(id, &peers, &done, out);
                Ok(())
            }
            P::CheckFriends { peers, mutual } => self.check_friends(id, &peers, mutual, out).await,
            P::NoteFriend(note) => self.note_friend(id, note, out).await,
            P::Requests(page) => self.requests(id, &page, out).await,
            P::Accept { peer, mutual, remark } => {
                let act = Approach::Accept { mutual, remark: remark.into_owned() };
                self.relate_one(id, &peer, act, out).await
            }
            P::Refuse { peer } => self.relate_one(id, &peer, Approach::Refuse, out).await,
            P::AddGroups { names, peers } => self.add_groups(id, names, &peers, out).await,
            P::DeleteGroups { names } => self.delete_groups(id, names, out).await,
            P::RenameGroup { name, to } => self.rename_group(id, name, to, out).await,
            P::JoinGroup(grouped) => self.join_group(id, grouped, out).await,
            P::LeaveGroup(grouped) => self.leave_group(id, grouped, out).await,
            P::Block { peers } => {
                let done = self.relate_each(Command::BlocklistAdd, &peers, || Approach::Block).await?;
                write_results(id, &peers, &done, out);
                Ok(())
            }
            P::Unblock { peers } => {
                let done = self.relate_each(Command::BlocklistDelete, &peers, || Approach::Unblock).await?;
                write_results(id, &peers, &done, out);
                Ok(())
            }
            P::Blocked(page) => self.blocked(id, &page, out).await,
        }
    }

    async fn profiles(&self, id: u64, users: &[Cow<'_, str>], out: &mut Vec<u8>) -> Result<(), Failure> {
        let users = users.iter().map(|user| self::user(user)).collect::<Result<Vec<_>, _>>()?;
        let people = self.portraits(users.clone()).await?;
        let shown: Vec<_> = users
            .iter()
            .zip(&people)
            .filter_map(|(user, portrait)| Some((user, self.profile_of(user, portrait.as_ref()?))))
            .collect();
        let size_bytes = shown.iter().map(|(_, values)| values_bytes(values)).sum();
        check_size(size_bytes)?;
        let profiles: Vec<_> = shown
            .iter()
            .map(|(user, profile)| UserProfile { user: user.as_str(), profile: profile.as_slice() })
            .collect();
        Reply::People(PeopleReply::Profiles(&profiles)).write(id, out);
        Ok(())
    }

    async fn set_profile(
        &self,
        id: u64,
        items: Vec<(Tag<'_>, TagValue<'_>)>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        // What the app's admin forbids somebody, they cannot allow themselves.
        if items.iter().any(|(tag, _)| *tag == Tag::Standard(StandardTag::AdminForbidType)) {
            return Err(ErrorCode::ProfileTagReadOnly.into());
        }
        let change = translate::people::profile_change(items, self.caller.user, self.origin);
        translate::people::profile_changed(&self.change_self(change).await?)?;
        Reply::Done.write(id, out);
        Ok(())
    }

    async fn blocked(&self, id: u64, page: &ListPage<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let (listed, next) = self.listed(TieList::Blocked, page).await?;
        let blocked: Vec<_> = listed
            .iter()
            .map(|entry| (entry.peer.as_str(), entry.tie.blocked_s.unwrap_or_default()))
            .collect();
        let next = next.as_ref().map(UserId::as_str);
        Reply::People(PeopleReply::Blocked { blocked: &blocked, next }).write(id, out);
        Ok(())
    }

    /// Does the same about each of the others: what became of each, which is nothing to tell where it worked.
    async fn relate_each(
        &self,
        command: Command,
        peers: &[Cow<'_, str>],
        act: impl Fn() -> Approach,
    ) -> Result<Vec<Option<Failure>>, Failure> {
        let mut done = Vec::with_capacity(peers.len());
        for peers in peers.chunks(CHANGED_AT_ONCE_MAX) {
            let doing = peers.iter().map(|peer| {
                let act = act();
                async move {
                    let related = self.relate(user(peer)?, act).await?;
                    Ok::<_, Failure>(related.err().map(|refusal| not_related(command, refusal)))
                }
            });
            // All of them go to the end, also when one fails: those that are done are told to devices.
            done.extend(join_all(doing).await);
        }
        done.into_iter().collect()
    }

    async fn relate_one(&self, id: u64, peer: &str, act: Approach, out: &mut Vec<u8>) -> Result<(), Failure> {
        let command = match act {
            Approach::Note { .. } => Command::FriendUpdate,
            _ => Command::FriendAdd,
        };
        self.relate(user(peer)?, act).await?.map_err(|refusal| not_related(command, refusal))?;
        Reply::Done.write(id, out);
        Ok(())
    }

    /// Does something about one of the others. Whether the other has to agree, or why nothing came of it.
    async fn relate(&self, to: UserId, act: Approach) -> Result<Result<bool, NotRelated>, Failure> {
        let relate = Relate {
            app: self.caller.app.id,
            from: self.caller.user,
            to,
            act,
            limits: translate::relation_limits(&self.gateway.limits),
            now_ms: self.gateway.chat.clock.now_ms(),
            origin: self.origin,
        };
        let related = self.gateway.chat.relate_from_device(self.caller.app.friend_rules, relate).await;
        Ok(match related.map_err(translate::people::befriend_failure)? {
            Related::Done(_) => Ok(false),
            Related::Pending(_) => Ok(true),
            Related::Refused(refusal) => Err(refusal),
        })
    }

    async fn change_self(&self, change: PersonChange) -> Result<PersonChanged, Failure> {
        let (app, user) = (self.caller.app.id, self.caller.user);
        let now_ms = self.gateway.chat.clock.now_ms();
        let change = ChangePerson { app, user, change, now_ms };
        self.gateway.chat.change_person(change).await.map_err(unavailable)
    }

    /// A page of what the user keeps of others, and where the next one goes on.
    async fn listed(
        &self,
        list: TieList,
        page: &ListPage<'_>,
    ) -> Result<(Vec<Listed>, Option<UserId>), Failure> {
        let after = page.after.as_deref().map(cursor).transpose()?;
        let limit = page.limit.map_or(PAGE_LEN_MAX, |limit| (limit as usize).min(PAGE_LEN_MAX));
        let (app, user) = (self.caller.app.id, self.caller.user);
        let query = ListQuery { app, user, list, after, skip: 0, limit: limit + 1 };
        let mut listed = self.gateway.chat.store.listed(query).await.map_err(unavailable)?;
        let is_last = listed.len() <= limit;
        listed.truncate(limit);
        let next = listed.last().map(|entry| entry.peer).filter(|_| !is_last);
        Ok((listed, next))
    }

    async fn portraits(&self, users: Vec<UserId>) -> Result<Vec<Option<Portrait>>, Failure> {
        self.gateway.chat.store.people(self.caller.app.id, users).await.map_err(unavailable)
    }

    fn profile_of<'p>(&self, user: &UserId, portrait: &'p Portrait) -> Vec<(&'p str, TagValue<'p>)> {
        if *user == self.caller.user {
            translate::people::own_profile(&portrait.profile)
        } else {
            translate::people::others_profile(&portrait.profile)
        }
    }
}

fn write_results(id: u64, peers: &[Cow<'_, str>], done: &[Option<Failure>], out: &mut Vec<u8>) {
    let results: Vec<_> = peers
        .iter()
        .zip(done)
        .map(|(peer, failure)| PeerResult { peer, failure: failure.as_ref() })
        .collect();
    Reply::People(PeopleReply::Results(&results)).write(id, out);
}

/// Refuses an answer that would be too large.
fn check_size(size_bytes: usize) -> Result<(), Failure> {
    if size_bytes > ANSWER_BYTES_MAX {
        return Err(ErrorCode::ListTooLong.with("the answer would be too large: name fewer users"));
    }
    Ok(())
}

fn values_bytes(values: &[(&str, TagValue<'_>)]) -> usize {
    let value_bytes = |value: &TagValue<'_>| match value {
        TagValue::Number(_) => size_of::<u32>(),
        TagValue::Text(text) => text.len(),
    };
    values.iter().map(|(tag, value)| tag.len() + value_bytes(value)).sum()
}

/// What a client was given as `next`: the name that a page ended with.
fn cursor(text: &str) -> Result<UserId, Failure> {
    UserId::new(text).ok_or_else(|| ErrorCode::FrameNotUnderstood.with("after is not valid"))
}

fn user(text: &str) -> Result<UserId, Failure> {
    UserId::new(text).ok_or_else(|| ErrorCode::RelationParameter.into())
}

fn not_related(command: Command, refusal: NotRelated) -> Failure {
    match refusal {
        // The words of REST name members that a frame does not have.
        NotRelated::Oneself => ErrorCode::RelationParameter.with("the peer must be another user"),
        refusal => translate::people::not_related(command, refusal),
    }
}
