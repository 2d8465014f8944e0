//! `sns`: what users are to one another.
//!
//! A call is about one user, `From_Account`, and many others. Each of the others is an operation of its own, so that
//! one who fails does not keep the rest from it; here is what the three kinds of lists share.

mod friend;
mod group;
mod blocklist;

use super::{Call, Rest, store_failure};
use crate::translate;
use chat::event::Origin;
use chat::person::{Listed, Portrait};
use chat::port::{ListQuery, StoreError, TieList};
use chat::relate::{Approach, Relate, Related};
use chat::{AppId, UserId};
use futures_util::future::join_all;
use protocol::limits::FRIENDS_PER_PAGE;
use protocol::rest::Command;
use protocol::rest::sns::{self, CheckType, Checked, Item, Outcome, Refused, Relation};
use protocol::{ErrorCode, Failure};
use std::borrow::Cow;

/// On whose behalf a call does something, and how.
#[derive(Debug, Clone, Copy)]
struct Actor {
    command: Command,
    app: AppId,
    user: UserId,
    origin: Origin,
    now_ms: u64,
}

impl Actor {
    fn store_failure(&self, error: &StoreError) -> Failure {
        store_failure(self.command, error)
    }
}

/// What became of one of the others.
#[derive(Debug)]
struct Line<'a> {
    to: Cow<'a, str>,
    failure: Option<Failure>,
}

fn outcomes<'a>(lines: &'a [Line<'_>]) -> Vec<Outcome<'a>> {
    lines.iter().map(|line| Outcome { to: &line.to, failure: line.failure.as_ref() }).collect()
}

fn answer(lines: &[Line<'_>]) -> Vec<u8> {
    sns::answer(&outcomes(lines))
}

impl Rest {
    fn actor(&self, command: Command, call: &Call, from: &str) -> Result<Actor, Failure> {
        Ok(Actor {
            command,
            app: call.caller.app.id,
            user: user(from)?,
            origin: translate::rest_origin(call.ip),
            now_ms: self.chat.clock.now_ms(),
        })
    }

    /// What is kept of the actor, who has to have an account.
    async fn portrait(&self, actor: &Actor) -> Result<Portrait, Failure> {
        let people = self.chat.store.people(actor.app, vec![actor.user]).await;
        let portrait = people.map_err(|error| actor.store_failure(&error))?.pop().flatten();
        portrait.ok_or_else(|| ErrorCode::RelationAccountNotFound.into())
    }

    /// Does something about each of the others, in their order. `act` says what, and about whom.
    async fn relate_each<'a, T>(
        &self,
        actor: &Actor,
        items: Vec<Item<'a, T>>,
        act: impl Fn(T) -> (Cow<'a, str>, Result<Approach, Failure>),
    ) -> Result<Vec<Line<'a>>, Failure> {
        let known = self.chat.store.accounts_exist(actor.app, vec![actor.user]).await;
        if known.map_err(|error| actor.store_failure(&error))? != [true] {
            return Err(ErrorCode::RelationAccountNotFound.into());
        }
        let lines = items.into_iter().map(|item| {
            let (to, act) = match item {
                Ok(item) => act(item),
                Err(Refused { to, failure }) => (to, Err(failure)),
            };
            async {
                let failure = match act.and_then(|act| Ok((user(&to)?, act))) {
                    Ok((other, act)) => self.relate(actor, other, act).await?,
                    Err(failure) => Some(failure),
                };
                Ok(Line { to, failure })
            }
        });
        // All of them go to the end, also when one fails: those that are done are told to devices.
        join_all(lines).await.into_iter().collect()
    }

    /// Does something about one of the others. The inner failure is about this one alone.
    async fn relate(&self, actor: &Actor, other: UserId, act: Approach) -> Result<Option<Failure>, Failure> {
        let Actor { command, app, user, origin, now_ms, .. } = *actor;
        let limits = translate::relation_limits(&self.limits);
        let related =
            self.chat.relate(Relate { app, from: user, to: other, act, limits, now_ms, origin }).await;
        Ok(match related.map_err(|error| actor.store_failure(&error))? {
            Related::Done(_) => None,
            Related::Pending(_) => Some(ErrorCode::FriendRequestPending.into()),
            Related::Refused(refusal) => Some(translate::people::not_related(command, refusal)),
        })
    }

    /// How the actor and each of the others stand to each other, as far as a kind of list shows it.
    async fn relations(
        &self,
        actor: &Actor,
        others: &[Item<'_, Cow<'_, str>>],
        check_type: CheckType,
        list: TieList,
    ) -> Result<Vec<Result<Relation, Failure>>, Failure> {
        let users: Vec<Result<UserId, Failure>> = others.iter().map(item_user).collect();
        let asked: Vec<UserId> = users.iter().flatten().copied().collect();
        let people = [actor.user].into_iter().chain(asked.iter().copied()).collect();
        let exist = self.chat.store.accounts_exist(actor.app, people).await;
        let mut exist = exist.map_err(|error| actor.store_failure(&error))?.into_iter();
        if exist.next() != Some(true) {
            return Err(ErrorCode::RelationAccountNotFound.into());
        }
        let has = async |pairs: Vec<[UserId; 2]>| {
            let ties = self.chat.store.ties(actor.app, pairs).await;
            let ties = ties.map_err(|error| actor.store_failure(&error))?;
            Ok::<_, Failure>(ties.iter().map(|tie| list.has(tie)).collect::<Vec<bool>>())
        };
        let here = has(asked.iter().map(|other| [actor.user, *other]).collect()).await?;
        let there = match check_type {
            CheckType::Single => vec![false; asked.len()],
            CheckType::Both => has(asked.iter().map(|other| [*other, actor.user]).collect()).await?,
        };
        let mut found = exist.zip(here).zip(there).map(|((exists, here), there)| {
            if exists { Ok(Relation::new(here, there)) } else { Err(unknown_account()) }
        });
        let relation = |user: Result<UserId, Failure>| {
            user.and_then(|_| found.next().expect("everybody who was asked about was answered"))
        };
        Ok(users.into_iter().map(relation).collect())
    }

    async fn listed(
        &self,
        actor: &Actor,
        list: TieList,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<Listed>, Failure> {
        let (app, user) = (actor.app, actor.user);
        let listed = self.chat.store.listed(ListQuery { app, user, list, after: None, skip, limit }).await;
        listed.map_err(|error| actor.store_failure(&error))
    }

    /// Everybody on a list, as what `keep` makes of each entry: whole entries would be too much at once.
    async fn everybody<T>(
        &self,
        actor: &Actor,
        list: TieList,
        keep: impl Fn(Listed) -> T,
    ) -> Result<Vec<T>, Failure> {
        let mut all = Vec::new();
        loop {
            let page = self.listed(actor, list, all.len(), FRIENDS_PER_PAGE).await?;
            let is_last = page.len() < FRIENDS_PER_PAGE;
            all.extend(page.into_iter().map(&keep));
            if is_last {
                return Ok(all);
            }
        }
    }
}

/// The lines of an answer about how two users stand to each other.
fn checked<'a>(
    others: &'a [Item<'_, Cow<'_, str>>],
    relations: &'a [Result<Relation, Failure>],
) -> Vec<Checked<'a>> {
    let line = |(other, relation): (&'a Item<'_, _>, &'a Result<Relation, Failure>)| Checked {
        to: item_name(other),
        relation: relation.as_ref().copied(),
    };
    others.iter().zip(relations).map(line).collect()
}

/// The entries of a page that was read one longer than it is to be, and where the next one starts.
fn page(mut listed: Vec<Listed>, start: u32, limit: usize) -> (Vec<Listed>, Option<u32>) {
    let next = (listed.len() > limit).then(|| start.saturating_add(limit as u32));
    listed.truncate(limit);
    (listed, next)
}

fn user(text: &str) -> Result<UserId, Failure> {
    UserId::new(text).ok_or_else(|| ErrorCode::RelationParameter.into())
}

fn item_user(item: &Item<'_, Cow<'_, str>>) -> Result<UserId, Failure> {
    match item {
        Ok(name) => user(name),
        Err(refused) => Err(refused.failure.clone()),
    }
}

fn item_name<'a>(item: &'a Item<'_, Cow<'_, str>>) -> &'a str {
    match item {
        Ok(name) => name,
        Err(refused) => &refused.to,
    }
}

fn unknown_account() -> Failure {
    ErrorCode::RelationAccountNotFound.into()
}
