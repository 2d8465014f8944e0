//! What is done to messages that were sent, as REST and devices say it.

use super::not_altered_code;
use chat::Message;
use chat::alter::{EXTENSIONS_LEN_MAX, NotAltered};
use chat::event::ExtensionItem;
use chat::port::Found;
use protocol::rest::edit::NewBody;
use protocol::rest::extension::Extension;
use protocol::{ErrorCode, Failure, RawValue, element};

/// What a message weighs once it is edited. A part that is not given counts as it stands now: of two edits at the same
/// time, one of each part, both may pass and leave a message that is longer than others, which harms nobody.
pub fn edited_bytes(message: &Message, body: Option<&NewBody<'_>>, custom_data: Option<&str>) -> usize {
    match (body, custom_data) {
        // Both were weighed together.
        (Some(body), Some(_)) => body.inspected.size_bytes,
        (Some(body), None) => body.inspected.size_bytes + message.custom_data.len(),
        (None, custom_data) => body_bytes(message) + custom_data.map_or(message.custom_data.len(), str::len),
    }
}

/// What the body of a stored message weighs. One that was recalled has none.
fn body_bytes(message: &Message) -> usize {
    let raw = serde_json::from_slice::<&RawValue>(&message.body).ok();
    let inspected = raw.and_then(|raw| element::inspect(raw, "").ok());
    inspected.map_or(message.body.len(), |inspected| inspected.size_bytes)
}

/// The version that an edit is meant for. No message is edited often enough for the last of them.
pub fn edit_version(version: u64) -> u32 {
    u32::try_from(version).unwrap_or(u32::MAX)
}

/// A message whose pairs can be read.
pub fn extensible(found: Option<Found>) -> Result<Found, Failure> {
    let found = found.filter(|found| !found.message.fate.recalled);
    let found = found.ok_or_else(|| extension_refused(NotAltered::NotFound))?;
    if found.message.delivery.extensible {
        Ok(found)
    } else {
        Err(extension_refused(NotAltered::NotExtensible))
    }
}

/// Why the pairs of a message were not changed. A message that is not there has another code here than elsewhere.
pub fn extension_refused(refusal: NotAltered) -> Failure {
    match refusal {
        NotAltered::NotFound => ErrorCode::ExtendedMessageNotFound.into(),
        NotAltered::TooManyPairs => ErrorCode::ExtensionParameter
            .with(format!("a message can have at most {EXTENSIONS_LEN_MAX} pairs")),
        refusal => not_altered_code(refusal).into(),
    }
}

pub fn pair(item: &ExtensionItem) -> Extension<'_> {
    Extension { key: &item.key, value: &item.value, seq: item.version }
}
