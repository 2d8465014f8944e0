//! Friend groups: made, named anew and removed, and friends put into them and taken out.

use super::super::Asked;
use super::write_results;
use crate::translate;
use chat::person::{PersonChange, PersonChanged};
use chat::relate::Approach;
use protocol::client::{Grouped, Reply};
use protocol::rest::Command;
use protocol::{ErrorCode, Failure};
use std::borrow::Cow;

impl Asked<'_> {
    pub(super) async fn add_groups(
        &self,
        id: u64,
        names: Vec<Cow<'_, str>>,
        peers: &[Cow<'_, str>],
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let names = owned(names);
        let groups_max = self.gateway.limits.friend_groups_len_max;
        self.change_groups(PersonChange::AddGroups { names: names.clone(), groups_max }).await?;
        let done = self.regroup(peers, &names, &[]).await?;
        write_results(id, peers, &done, out);
        Ok(())
    }

    pub(super) async fn delete_groups(
        &self,
        id: u64,
        names: Vec<Cow<'_, str>>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        self.change_groups(PersonChange::RemoveGroups { names: owned(names) }).await?;
        Reply::Done.write(id, out);
        Ok(())
    }

    pub(super) async fn rename_group(
        &self,
        id: u64,
        name: Cow<'_, str>,
        to: Cow<'_, str>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let (name, to) = (name.into_owned(), to.into_owned());
        self.change_groups(PersonChange::RenameGroup { name, to }).await?;
        Reply::Done.write(id, out);
        Ok(())
    }

    pub(super) async fn join_group(
        &self,
        id: u64,
        Grouped { name, peers }: Grouped<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let done = self.regroup(&peers, &[name.into_owned()], &[]).await?;
        write_results(id, &peers, &done, out);
        Ok(())
    }

    pub(super) async fn leave_group(
        &self,
        id: u64,
        Grouped { name, peers }: Grouped<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let done = self.regroup(&peers, &[], &[name.into_owned()]).await?;
        write_results(id, &peers, &done, out);
        Ok(())
    }

    /// Puts friends into groups, and takes them out of others.
    async fn regroup(
        &self,
        peers: &[Cow<'_, str>],
        join: &[String],
        leave: &[String],
    ) -> Result<Vec<Option<Failure>>, Failure> {
        let act = || Approach::Note {
            remark: None,
            groups: None,
            join: join.to_vec(),
            leave: leave.to_vec(),
            custom: Vec::new(),
        };
        self.relate_each(Command::FriendGroupAdd, peers, act).await
    }

    async fn change_groups(&self, change: PersonChange) -> Result<(), Failure> {
        match self.change_self(change).await? {
            PersonChanged::Done(_) => Ok(()),
            PersonChanged::UnknownAccount => Err(ErrorCode::RelationAccountNotFound.into()),
            PersonChanged::Refused(refusal) => Err(translate::people::groups_not_changed(refusal)),
        }
    }
}

fn owned(names: Vec<Cow<'_, str>>) -> Vec<String> {
    names.into_iter().map(Cow::into_owned).collect()
}
