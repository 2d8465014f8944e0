//! `openim/modify_c2c_msg`: what a message says is changed, for both people.

use super::named::Named;
use super::{Call, Rest, store_failure};
use bytes::Bytes;
use chat::alter::Act;
use chat::{ConversationId, Message};
use protocol::rest::Command;
use protocol::rest::edit::Edit;
use protocol::{ErrorCode, Failure, RawValue, element};

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
            // No message is edited often enough for the last of them.
            version: request.version.map(|version| u32::try_from(version).unwrap_or(u32::MAX)),
        };
        self.alter(Command::EditMsg, &call, message, act).await
    }

    /// What the message would weigh; `None` when there is nothing to weigh. The part that is not given counts as it
    /// stands now: of two edits at the same time, one of each part, both may pass and leave a message that is longer
    /// than others, which harms nobody.
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
        Ok(found.map(|found| {
            let body = request.body.as_ref().map(|body| body.inspected.size_bytes);
            let custom_data = request.custom_data.as_ref().map(|data| data.len());
            body.unwrap_or_else(|| body_bytes(&found.message))
                + custom_data.unwrap_or(found.message.custom_data.len())
        }))
    }
}

/// What the body of a stored message weighs. One that was recalled has none.
fn body_bytes(message: &Message) -> usize {
    let raw = serde_json::from_slice::<&RawValue>(&message.body).ok();
    let inspected = raw.and_then(|raw| element::inspect(raw, "").ok());
    inspected.map_or(message.body.len(), |inspected| inspected.size_bytes)
}
