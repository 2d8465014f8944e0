//! `openim/admin_getroammsg`: a page of a conversation as one of its people sees it.

use super::{Call, Rest, store_failure};
use crate::translate;
use chat::port::{Direction, HistoryQuery};
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
            direction: Direction::Older,
            time_s_min: request.min_time_s,
            time_s_max: request.max_time_s,
            behind: request.last_key.as_ref().map(translate::history_key),
            limit: (request.count_max as usize).clamp(1, self.limits.history_page_len_max),
            bytes_max: self.limits.history_page_bytes_max,
        };
        let page = self.chat.store.history(query).await.map_err(failure)?;
        // A peer who was deleted is still in the viewer's history.
        if !exist[1] && page.messages.is_empty() && page.is_complete() {
            return Err(ErrorCode::BadToAccount.into());
        }
        let next = page.next.map(translate::shown_key);
        let told = translate::told_forwards(app, query.direction, page);
        let shown: Vec<_> = told.iter().map(|(message, id)| translate::shown(message, id)).collect();
        Ok(RoamPage { next, messages: &shown }.to_json())
    }
}
