//! `openim_msg_ext_http_svc`: key-value pairs are put on a message, taken off it, and read.

use super::named::Named;
use super::{Call, Rest, store_failure};
use crate::translate;
use crate::translate::alter::{extensible, extension_refused, pair};
use chat::alter::{Act, Extend};
use chat::event::ExtensionItem;
use chat::port::Altered;
use chat::{ConversationId, UserId};
use protocol::limits::EXTENSIONS_PER_PAGE_MAX;
use protocol::rest::Command;
use protocol::rest::extension::{Changed, Extension, ExtensionPage, Get, Operation, Set};
use protocol::{ErrorCode, Failure, MsgKey};

impl Rest {
    pub(super) async fn set_extensions(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = Set::parse(&call.body)?;
        let message = named(&call, request.from.as_deref(), &request.to, &request.key)?;
        let act = Act::Extend(extend(&request.operation));
        let alter = message.alter(&call, call.caller.user, act, self.chat.clock.now_ms());
        let altered = self.chat.alter(alter).await;
        let items = match altered.map_err(|error| store_failure(Command::SetExtensions, &error))? {
            Altered::Done { items, .. } => items,
            Altered::Unchanged => Vec::new(),
            Altered::Refused(refusal) => return Err(extension_refused(refusal)),
        };
        let changed: Vec<_> = lines(&request.operation, &items)
            .into_iter()
            .map(|extension| Changed { code: 0, extension })
            .collect();
        Ok(Set::answer(&changed))
    }

    pub(super) async fn extensions(&self, call: Call) -> Result<Vec<u8>, Failure> {
        let request = Get::parse(&call.body)?;
        let message = named(&call, request.from.as_deref(), &request.to, &request.key)?;
        let conversation = ConversationId::new(call.caller.app.id, message.from, message.to);
        let found = self.chat.store.find(conversation, message.key).await;
        let found = extensible(found.map_err(|error| store_failure(Command::GetExtensions, &error))?)?;
        let wanted = found.extensions.items.iter().filter(|item| item.version >= request.start_seq);
        let mut page: Vec<_> = wanted.take(EXTENSIONS_PER_PAGE_MAX + 1).map(pair).collect();
        let complete = page.len() <= EXTENSIONS_PER_PAGE_MAX;
        page.truncate(EXTENSIONS_PER_PAGE_MAX);
        let (latest_seq, clear_seq) = (found.extensions.latest, found.extensions.cleared);
        Ok(ExtensionPage { complete, latest_seq, clear_seq, extensions: &page }.to_json())
    }
}

fn named(call: &Call, from: Option<&str>, to: &str, key: &MsgKey) -> Result<Named, Failure> {
    let from = from.map_or(Some(call.caller.user), UserId::new).ok_or(ErrorCode::ExtensionParameter)?;
    let to = UserId::new(to).ok_or(ErrorCode::ExtensionParameter)?;
    Ok(Named { from, to, key: translate::history_key(key) })
}

fn extend(operation: &Operation<'_>) -> Extend {
    match operation {
        Operation::Set(pairs) => Extend::Set(
            pairs.iter().map(|pair| (pair.key.to_string().into(), pair.value.to_string())).collect(),
        ),
        Operation::Delete(keys) => Extend::Delete(keys.iter().map(|key| key.to_string().into()).collect()),
        Operation::Clear => Extend::Clear,
    }
}

/// What is answered about each pair of a request. One that was to be deleted and was not there has no number.
fn lines<'a>(operation: &'a Operation<'_>, items: &'a [ExtensionItem]) -> Vec<Extension<'a>> {
    let deleted = |key: &'a str| {
        let item = items.iter().find(|item| item.key == key);
        item.map_or(Extension { key, value: "", seq: 0 }, pair)
    };
    match operation {
        Operation::Set(_) => items.iter().map(pair).collect(),
        Operation::Delete(keys) => keys.iter().map(|key| deleted(key)).collect(),
        Operation::Clear => Vec::new(),
    }
}
