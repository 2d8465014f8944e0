//! `openim/delete_c2c_msg_ramble`: messages are taken out of one person's history.

use super::named::{Named, people};
use super::{Call, Rest, store_failure};
use crate::translate;
use chat::alter::Act;
use chat::port::Altered;
use futures_util::future::join_all;
use protocol::Failure;
use protocol::rest::Command;
use protocol::rest::deletion::DeleteMessages;

impl Rest {
    pub(super) async fn delete_messages(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = DeleteMessages::parse(&call.body)?;
        let [operator, peer] = people(&request.operator, &request.peer)?;
        let now_ms = self.chat.clock.now_ms();
        let deletions = request.keys.iter().map(|key| {
            let message = Named { from: operator, to: peer, key: translate::history_key(key) };
            self.chat.alter(message.alter(&call, operator, Act::Delete, now_ms))
        });
        let mut any_found = false;
        for deleted in join_all(deletions).await {
            let deleted = deleted.map_err(|error| store_failure(Command::DeleteMsg, &error))?;
            // One that is not there is as good as deleted.
            any_found |= !matches!(deleted, Altered::Refused(_));
        }
        if !any_found {
            self.both_exist(Command::DeleteMsg, call.caller.app.id, [operator, peer]).await?;
        }
        Ok(request.answer())
    }
}
