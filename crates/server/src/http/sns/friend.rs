//! Friends: made, imported, noted of, and parted from.

mod list;

use super::{answer, checked};
use crate::http::{Call, Rest};
use crate::translate::people::friend_notes;
use chat::UserId;
use chat::person::Friend;
use chat::port::TieList;
use chat::relate::Approach;
use protocol::Failure;
use protocol::callback::AddType;
use protocol::limits::FRIENDS_PER_PAGE;
use protocol::rest::sns::friend::{Add, Check, Delete, DeleteAll, DeleteType, Import, Update};
use protocol::rest::{self, Command};
use std::borrow::Cow;

impl Rest {
    pub(in crate::http) async fn add_friends(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let Add { from, items, add_type, forced } = Add::parse(&call.body)?;
        let actor = self.actor(Command::FriendAdd, &call, &from)?;
        let admin = Some(call.caller.user);
        let lines = self.relate_each(&actor, items, |item| {
            let act = Approach::Befriend {
                mutual: add_type == AddType::Both,
                forced,
                discreet: false,
                admin,
                remark: item.remark.into_owned(),
                group: item.group.map(Cow::into_owned),
                source: item.add_source.into_owned(),
                wording: item.add_wording.into_owned(),
            };
            (item.to, Ok(act))
        });
        Ok(answer(&lines.await?))
    }

    pub(in crate::http) async fn import_friends(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let Import { from, items } = Import::parse(&call.body)?;
        let actor = self.actor(Command::FriendImport, &call, &from)?;
        let lines = self.relate_each(&actor, items, |item| {
            let (to, groups) = (item.to, owned(item.groups));
            let entry = |custom: Vec<_>| Friend {
                added_s: item.add_time_s.unwrap_or(actor.now_ms / 1000),
                remark: item.remark.into_owned(),
                groups: Vec::new(),
                source: item.add_source.into_owned(),
                wording: item.add_wording.into_owned(),
                custom: custom.into_iter().collect(),
            };
            (to, friend_notes(item.customs).map(|custom| Approach::Import { entry: entry(custom), groups }))
        });
        Ok(answer(&lines.await?))
    }

    pub(in crate::http) async fn update_friends(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let Update { from, items } = Update::parse(&call.body)?;
        let actor = self.actor(Command::FriendUpdate, &call, &from)?;
        let lines = self.relate_each(&actor, items, |item| {
            let (remark, groups) = (item.remark.map(Cow::into_owned), item.groups.map(owned));
            let (join, leave) = (Vec::new(), Vec::new());
            let note = |custom| Approach::Note { remark, groups, join, leave, custom };
            (item.to, friend_notes(item.customs).map(note))
        });
        Ok(answer(&lines.await?))
    }

    pub(in crate::http) async fn delete_friends(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let Delete { from, to, delete_type } = Delete::parse(&call.body)?;
        let actor = self.actor(Command::FriendDelete, &call, &from)?;
        let lines = self.relate_each(&actor, to, |to| (to, Ok(unfriend(delete_type)))).await?;
        Ok(answer(&lines))
    }

    pub(in crate::http) async fn delete_all_friends(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let DeleteAll { from, delete_type } = DeleteAll::parse(&call.body)?;
        let actor = self.actor(Command::FriendDeleteAll, &call, &from)?;
        // As many pages as there are now: whoever goes on making friends cannot hold this for ever.
        let pages = (self.portrait(&actor).await?.person.friends as usize).div_ceil(FRIENDS_PER_PAGE);
        for _ in 0..pages {
            let friends = self.listed(&actor, TieList::Friends, 0, FRIENDS_PER_PAGE).await?;
            let items = friends.into_iter().map(|listed| Ok(listed.peer)).collect();
            // One who is no friend any more was parted from by somebody else in the meantime.
            let act = |peer: UserId| (Cow::Owned(peer.as_str().to_owned()), Ok(unfriend(delete_type)));
            self.relate_each(&actor, items, act).await?;
        }
        Ok(rest::ok_with_display().into())
    }

    pub(in crate::http) async fn check_friends(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let Check { from, to, check_type } = Check::parse(&call.body)?;
        let actor = self.actor(Command::FriendCheck, &call, &from)?;
        let relations = self.relations(&actor, &to, check_type, TieList::Friends).await?;
        Ok(Check::answer(&checked(&to, &relations)))
    }
}

fn unfriend(delete_type: DeleteType) -> Approach {
    Approach::Unfriend { mutual: delete_type == DeleteType::Both }
}

fn owned(names: Vec<Cow<'_, str>>) -> Vec<String> {
    names.into_iter().map(Cow::into_owned).collect()
}
