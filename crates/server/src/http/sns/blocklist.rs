//! Blocklists: who is put into one or taken out, and who is in it.

use super::{answer, checked, page};
use crate::http::{Call, Rest};
use chat::port::TieList;
use chat::relate::Approach;
use protocol::Failure;
use protocol::rest::Command;
use protocol::rest::sns::blocklist::{Add, Blocked, BlocklistPage, Check, Delete, Page};

impl Rest {
    pub(in crate::http) async fn block_users(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let Add { from, to } = Add::parse(&call.body)?;
        let actor = self.actor(Command::BlocklistAdd, &call, &from)?;
        Ok(answer(&self.relate_each(&actor, to, |to| (to, Ok(Approach::Block))).await?))
    }

    pub(in crate::http) async fn unblock_users(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let Delete { from, to } = Delete::parse(&call.body)?;
        let actor = self.actor(Command::BlocklistDelete, &call, &from)?;
        Ok(answer(&self.relate_each(&actor, to, |to| (to, Ok(Approach::Unblock))).await?))
    }

    pub(in crate::http) async fn get_blocklist(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let Page { from, start_index, limit } = Page::parse(&call.body)?;
        let actor = self.actor(Command::BlocklistGet, &call, &from)?;
        // Before the list: a change between the two is in the list and not yet in the sequence, and is read again.
        let sequence = self.portrait(&actor).await?.person.blocklist_version;
        let (skip, limit) = (start_index as usize, limit as usize);
        let listed = self.listed(&actor, TieList::Blocked, skip, limit + 1).await?;
        let (listed, next_index) = page(listed, start_index, limit);
        let entries: Vec<_> = listed
            .iter()
            .map(|entry| Blocked {
                to: entry.peer.as_str(),
                since_s: entry.tie.blocked_s.unwrap_or_default(),
            })
            .collect();
        Ok(BlocklistPage { entries: &entries, next_index, sequence }.to_json())
    }

    pub(in crate::http) async fn check_blocklist(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let Check { from, to, check_type } = Check::parse(&call.body)?;
        let actor = self.actor(Command::BlocklistCheck, &call, &from)?;
        let relations = self.relations(&actor, &to, check_type, TieList::Blocked).await?;
        Ok(Check::answer(&checked(&to, &relations)))
    }
}
