//! `openim/modify_c2c_msg`: what a message says is changed, for both people.

use super::named::Named;
use super::{Call, Rest, store_failure};
use crate::translate::alter::{edit_version, edited_bytes};
use bytes::Bytes;
use chat::ConversationId;
use chat::alter::Act;
use protocol::rest::Command;
use protocol::rest::edit::Edit;
use protocol::{ErrorCode, Failure};

impl Rest {
    pub(super) async fn edit(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = Edit::parse(&call.body)?;
        let message = Named::new(&request.from, &request.to, &request.key)?;
        if let Some(size_bytes) = self.size_bytes(&call, message, &request).await?
            && size_bytes > call.caller.app.rules.message_bytes_max
        {
            return Err(ErrorCode::MessageTooLong.into());
        }
        let act = Act::Edit {
            body: request.body.map(|body| call.body.slice_ref(body.json.get().as_bytes())),
            custom_data: request.custom_data.map(|data| Bytes::copy_from_slice(data.as_bytes())),
            version: request.version.map(edit_version),
            marked: false,
        };
        self.alter(Command::EditMsg, &call, message, act).await
    }

    /// What the message would weigh; `None` when there is nothing to weigh.
    async fn size_bytes(
        &self,
        call: &Call,
        message: Named,
        request: &Edit<'_>,
    ) -> Result<Option<usize>, Failure> {
        if let (Some(body), Some(_)) = (&request.body, &request.custom_data) {
            return Ok(Some(body.inspected.size_bytes));
        }
        let conversation = ConversationId::new(call.caller.app.id, message.from, message.to);
        let found = self.chat.store.find(conversation, message.key).await;
        let found = found.map_err(|error| store_failure(Command::EditMsg, &error))?;
        Ok(found
            .map(|found| edited_bytes(&found.message, request.body.as_ref(), request.custom_data.as_deref())))
    }
}
