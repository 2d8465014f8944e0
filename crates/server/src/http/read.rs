//! What has been read: `openim/admin_set_msg_read`, `c2c_msg_read_receipt` and `get_c2c_unread_msg_num`.

use super::named::{Named, people};
use super::{Call, Rest, store_failure};
use crate::translate;
use chat::UserId;
use chat::alter::Act;
use chat::port::{Altered, MarkRead};
use futures_util::future::join_all;
use protocol::rest::read::{Confirm, SetRead, Unread, UnreadCount, UnreadCounts};
use protocol::rest::{self, Command, FailedAccount};
use protocol::{ErrorCode, Failure};
use std::borrow::Cow;

impl Rest {
    pub(super) async fn set_read(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = SetRead::parse(&call.body)?;
        let [reader, peer] = people(&request.reader, &request.peer)?;
        let app = call.caller.app.id;
        let (until_s, now_ms) = (request.until_s, self.chat.clock.now_ms());
        let mark = MarkRead { app, reader, peer, until_s, now_ms, origin: translate::rest_origin(call.ip) };
        let marked = self.chat.mark_read(mark).await;
        if marked.map_err(|error| store_failure(Command::SetMsgRead, &error))?.is_none() {
            self.both_exist(Command::SetMsgRead, app, [reader, peer]).await?;
        }
        Ok(rest::ok().into())
    }

    pub(super) async fn confirm_read(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = Confirm::parse(&call.body)?;
        let [reader, peer] = people(&request.reader, &request.peer)?;
        let now_ms = self.chat.clock.now_ms();
        let confirmations = request.keys.iter().map(|key| {
            let message = Named { from: peer, to: reader, key: translate::history_key(key) };
            self.chat.alter(message.alter(&call, reader, Act::Confirm, now_ms))
        });
        let results = join_all(confirmations).await;
        // Those that are there are confirmed, wherever in the list the others stand.
        for (key, confirmed) in request.keys.iter().zip(results) {
            let confirmed = confirmed.map_err(|error| store_failure(Command::ConfirmMsgRead, &error))?;
            if let Altered::Refused(refusal) = confirmed {
                self.both_exist(Command::ConfirmMsgRead, call.caller.app.id, [reader, peer]).await?;
                let code = translate::not_altered_code(refusal);
                return Err(code.with(format!("{}: {key}", code.text())));
            }
        }
        Ok(rest::ok().into())
    }

    pub(super) async fn unread(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = Unread::parse(&call.body)?;
        let app = call.caller.app.id;
        let user = UserId::new(&request.user).ok_or(ErrorCode::BadToAccount)?;
        let failure = |error| store_failure(Command::GetUnreadNum, &error);
        let inbox = self.chat.store.inbox(app, user).await.map_err(failure)?;
        let inbox = inbox.ok_or_else(translate::unknown_recipient)?;
        let Some(names) = &request.peers else {
            return Ok(UnreadCounts::All(u64::from(inbox.unread)).to_json());
        };
        let peers: Vec<UserId> = names.iter().filter_map(|name| UserId::new(name)).collect();
        let exist = self.chat.store.accounts_exist(app, peers.clone()).await.map_err(failure)?;
        let unread = self.chat.store.unread(app, user, peers.clone()).await.map_err(failure)?;
        let known = peers.into_iter().zip(exist.into_iter().zip(unread)).collect::<Vec<_>>();
        Ok(counts(names, &known))
    }
}

/// The answer about single conversations. A peer who is gone still counts for as long as something of theirs is unread.
fn counts(names: &[Cow<'_, str>], known: &[(UserId, (bool, u32))]) -> Vec<u8> {
    let (mut counts, mut failed) = (Vec::new(), Vec::new());
    for name in names {
        let known = known.iter().find(|(peer, _)| peer.as_str() == name);
        match known {
            Some((_, (exists, unread))) if *exists || *unread > 0 => {
                counts.push(UnreadCount { peer: name, count: u64::from(*unread) });
            }
            _ => failed.push(FailedAccount { user_id: name, code: ErrorCode::AccountNotFound.number() }),
        }
    }
    UnreadCounts::OfPeers { counts: &counts, failed: &failed }.to_json()
}
