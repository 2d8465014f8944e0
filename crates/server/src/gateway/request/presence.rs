//! What a device asks about who is online.

use super::{Asked, unavailable, user};
use crate::bus::TooOften;
use crate::gateway::presence::{self, Found};
use chat::UserId;
use protocol::client::{PresenceReply, PresenceRequest, Reply};
use protocol::{ErrorCode, Failure};
use std::borrow::Cow;

impl Asked<'_> {
    pub(super) async fn presence(
        &self,
        id: u64,
        request: PresenceRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        match request {
            PresenceRequest::Status { users } => {
                let found = self.find(ids(&users)?).await?;
                Reply::Presence(PresenceReply::Statuses(&shown(&found))).write(id, out);
            }
            PresenceRequest::SetStatus { custom } => {
                let now_ms = self.gateway.chat.clock.now_ms();
                self.gateway.bus.say(self.ear, &custom, now_ms).map_err(|TooOften| ErrorCode::TooFrequent)?;
                Reply::Done.write(id, out);
            }
            PresenceRequest::Subscribe { users } => self.subscribe(id, &ids(&users)?, out).await?,
            PresenceRequest::Unsubscribe { users: Some(users) } => {
                self.gateway.bus.unwatch(self.ear, &ids(&users)?);
                Reply::Done.write(id, out);
            }
            PresenceRequest::Unsubscribe { users: None } => {
                self.gateway.bus.unwatch_everybody(self.ear);
                Reply::Done.write(id, out);
            }
        }
        Ok(())
    }

    async fn subscribe(&self, id: u64, users: &[UserId], out: &mut Vec<u8>) -> Result<(), Failure> {
        // First this: what changes while the answer is found out is pushed after it.
        let dropped = self.gateway.bus.watch(self.ear, users);
        let found = self.find(users.to_vec()).await?;
        let dropped: Vec<&str> = dropped.iter().map(UserId::as_str).collect();
        let reply = PresenceReply::Subscribed { statuses: &shown(&found), dropped: &dropped };
        Reply::Presence(reply).write(id, out);
        Ok(())
    }

    async fn find(&self, users: Vec<UserId>) -> Result<Vec<Found>, Failure> {
        presence::find(self.gateway, self.caller.app.id, users).await.map_err(unavailable)
    }
}

fn ids(users: &[Cow<'_, str>]) -> Result<Vec<UserId>, Failure> {
    users.iter().map(|name| user(name)).collect()
}

fn shown(found: &[Found]) -> Vec<protocol::client::Presence<'_>> {
    found.iter().map(Found::shown).collect()
}
