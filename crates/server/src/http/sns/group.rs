//! Friend groups: made, with friends put into them, removed and read.

use super::{Actor, Line, outcomes, unknown_account, user};
use crate::http::{Call, Rest};
use crate::translate;
use chat::person::{ChangePerson, PersonChange, PersonChanged};
use chat::port::TieList;
use chat::relate::Approach;
use futures_util::future::join_all;
use protocol::Failure;
use protocol::rest::Command;
use protocol::rest::sns::group::{Add, Delete, FriendGroup, Get};
use protocol::rest::sns::{Item, Refused};
use std::borrow::Cow;

impl Rest {
    pub(in crate::http) async fn add_friend_groups(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let Add { from, names, to } = Add::parse(&call.body)?;
        let actor = self.actor(Command::FriendGroupAdd, &call, &from)?;
        let names: Vec<String> = names.into_iter().map(Cow::into_owned).collect();
        let groups_max = self.limits.friend_groups_len_max;
        self.change_groups(&actor, PersonChange::AddGroups { names: names.clone(), groups_max }).await?;
        let lines = join_all(to.into_iter().map(|item| self.join_groups(&actor, item, &names))).await;
        let lines = lines.into_iter().collect::<Result<Vec<_>, _>>()?;
        let sequence = self.portrait(&actor).await?.person.friends_version;
        Ok(Add::answer(&outcomes(&lines), sequence))
    }

    pub(in crate::http) async fn delete_friend_groups(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let Delete { from, names } = Delete::parse(&call.body)?;
        let actor = self.actor(Command::FriendGroupDelete, &call, &from)?;
        let names = names.into_iter().map(Cow::into_owned).collect();
        self.change_groups(&actor, PersonChange::RemoveGroups { names }).await?;
        Ok(Delete::answer(self.portrait(&actor).await?.person.friends_version))
    }

    pub(in crate::http) async fn get_friend_groups(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let Get { from, names, with_friends } = Get::parse(&call.body)?;
        let actor = self.actor(Command::FriendGroupGet, &call, &from)?;
        let person = self.portrait(&actor).await?.person;
        let friends = self
            .everybody(&actor, TieList::Friends, |listed| {
                (listed.peer, listed.tie.friend.map(|friend| friend.groups).unwrap_or_default())
            })
            .await?;
        let is_wanted = |name: &String| names.is_empty() || names.iter().any(|wanted| wanted == name);
        let groups: Vec<(&str, Vec<&str>)> = person
            .groups
            .iter()
            .filter(|group| is_wanted(&group.name))
            .map(|group| {
                let is_in = |groups: &Vec<u32>| groups.contains(&group.id);
                let members = friends.iter().filter(|(_, groups)| is_in(groups));
                (&*group.name, members.map(|(peer, _)| peer.as_str()).collect())
            })
            .collect();
        let groups: Vec<_> = groups
            .iter()
            .map(|(name, members)| FriendGroup {
                name,
                friend_num: members.len() as u32,
                friends: with_friends.then_some(members),
            })
            .collect();
        Ok(Get::answer(&groups, person.friends_version))
    }

    async fn change_groups(&self, actor: &Actor, change: PersonChange) -> Result<(), Failure> {
        let Actor { app, user, now_ms, .. } = *actor;
        let changed = self.chat.change_person(ChangePerson { app, user, change, now_ms }).await;
        match changed.map_err(|error| actor.store_failure(&error))? {
            PersonChanged::Done(_) => Ok(()),
            PersonChanged::UnknownAccount => Err(unknown_account()),
            PersonChanged::Refused(refusal) => Err(translate::people::groups_not_changed(refusal)),
        }
    }

    /// Puts a friend into groups.
    async fn join_groups<'a>(
        &self,
        actor: &Actor,
        item: Item<'a, Cow<'a, str>>,
        names: &[String],
    ) -> Result<Line<'a>, Failure> {
        let to = match item {
            Ok(to) => to,
            Err(Refused { to, failure }) => return Ok(Line { to, failure: Some(failure) }),
        };
        let friend = user(&to)?;
        let join = Approach::Note {
            remark: None,
            groups: None,
            join: names.to_vec(),
            leave: Vec::new(),
            custom: Vec::new(),
        };
        let failure = self.relate(actor, friend, join).await?;
        Ok(Line { to, failure })
    }
}
