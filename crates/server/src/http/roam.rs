//! `openim/admin_getroammsg`: a page of a conversation as one of its people sees it.

use super::{Call, Rest, store_failure};
use crate::translate;
use chat::port::{HistoryQuery, MessageKey};
use chat::{ConversationId, UserId};
use protocol::rest::Command;
use protocol::rest::roam::{GetRoamMessages, RoamPage};
use protocol::{ErrorCode, Failure};

impl Rest {
    pub(super) async fn roam(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = GetRoamMessages::parse(&call.body)?;
        let app = call.caller.app.id;
        let viewer = UserId::new(&request.operator).ok_or(ErrorCode::BadFromAccount)?;
        let peer = UserId::new(&request.peer).ok_or(ErrorCode::BadToAccount)?;
        let failure = |error| store_failure(Command::GetRoamMsg, &error);
        let exist = self.chat.store.accounts_exist(app, vec![viewer, peer]).await.map_err(failure)?;
        if !exist[0] {
            return Err(ErrorCode::BadFromAccount.into());
        }
        let query = HistoryQuery {
            conversation: ConversationId::new(app, viewer, peer),
            viewer,
            time_s_min: request.min_time_s,
            time_s_max: request.max_time_s,
            before: request.last_key.map(|key| MessageKey {
                wire_seq: key.seq,
                random: key.random,
                time_s: key.time_s,
            }),
            limit: (request.count_max as usize).clamp(1, self.limits.history_page_len_max),
            bytes_max: self.limits.history_page_bytes_max,
        };
        let mut page = self.chat.store.history(query).await.map_err(failure)?;
        // A peer who was deleted is still in the viewer's history.
        if !exist[1] && page.messages.is_empty() {
            return Err(ErrorCode::BadToAccount.into());
        }
        // Pages go backwards in time, and each is told forwards.
        page.messages.reverse();
        let id = |message: &chat::Message| {
            translate::msg_id(app, &message.from, message.client_time_s, message.random)
        };
        let ids: Vec<String> = page.messages.iter().map(id).collect();
        let shown: Vec<_> =
            page.messages.iter().zip(&ids).map(|(message, id)| translate::shown(message, id)).collect();
        Ok(RoamPage { complete: page.complete, messages: &shown }.to_json())
    }
}
