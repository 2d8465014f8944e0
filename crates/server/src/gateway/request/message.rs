//! What a device does with messages.
//!
//! A message is named by the peer and its key. One that the user has been spared, because its sender is blocked, is not
//! there for the user's devices, whatever they ask about it.

use super::{Asked, unavailable, user};
use crate::translate;
use crate::translate::alter::{edit_version, edited_bytes, extensible, extension_refused, pair};
use bytes::Bytes;
use chat::alter::{Act, Extend, NotAltered, PairKey};
use chat::device::{judge_edit, judge_pairs, may_recall};
use chat::event::ExtensionItem;
use chat::port::{Alter, Altered, Direction, Found, HistoryQuery};
use chat::send::SendError;
use chat::{ConversationId, UserId};
use futures_util::future::join_all;
use protocol::client::{
    Edit, ExtendOperation, Extended, History, HistoryPage, HistoryPlace, MessageReply, MessageRequest, Named,
    NamedMany, Receipt, Reply, SeenPair, refuse_edit,
};
use protocol::rest::extension::Extension;
use protocol::{ErrorCode, Failure, MsgKey};

/// Messages in a page of history when the device does not say.
const HISTORY_LEN_DEFAULT: usize = 20;

impl Asked<'_> {
    pub(super) async fn message(
        &self,
        id: u64,
        request: MessageRequest<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        match request {
            MessageRequest::History(history) => self.history(id, &history, out).await,
            MessageRequest::Recall(message) => self.recall(id, &message, out).await,
            MessageRequest::Edit(edit) => self.edit(id, edit, out).await,
            MessageRequest::Delete(messages) => self.delete(id, &messages, out).await,
            MessageRequest::Confirm(messages) => self.confirm(id, &messages, out).await,
            MessageRequest::Receipts(messages) => self.receipts(id, &messages, out).await,
            MessageRequest::Extensions(message) => self.extensions(id, &message, out).await,
            MessageRequest::Extend(extend) => self.extend(id, &extend.message, &extend.operation, out).await,
        }
    }

    async fn history(&self, id: u64, wire: &History<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let (app, viewer) = (self.caller.app.id, self.caller.user);
        let limits = &self.gateway.limits;
        let limit = wire.limit.map_or(HISTORY_LEN_DEFAULT, |limit| limit as usize);
        let (direction, behind) = match &wire.place {
            HistoryPlace::Newest | HistoryPlace::Until(_) => (Direction::Older, None),
            HistoryPlace::Before(key) => (Direction::Older, Some(key)),
            HistoryPlace::After(key) => (Direction::Newer, Some(key)),
            HistoryPlace::From(_) => (Direction::Newer, None),
        };
        let (time_s_min, time_s_max) = match wire.place {
            HistoryPlace::Newest => (0, u64::MAX),
            HistoryPlace::Before(key) => (0, key.time_s),
            HistoryPlace::Until(time_s) => (0, time_s),
            HistoryPlace::After(key) => (key.time_s, u64::MAX),
            HistoryPlace::From(time_s) => (time_s, u64::MAX),
        };
        let query = HistoryQuery {
            conversation: ConversationId::new(app, viewer, user(&wire.peer)?),
            viewer,
            direction,
            time_s_min,
            time_s_max,
            behind: behind.map(translate::history_key),
            limit: limit.clamp(1, limits.history_page_len_max),
            bytes_max: limits.history_page_bytes_max,
        };
        let page = self.gateway.chat.store.history(query).await.map_err(unavailable)?;
        let next = page.next.map(translate::shown_key);
        let told = translate::told_forwards(app, direction, page);
        let shown: Vec<_> = told.iter().map(|(message, id)| translate::shown(message, id)).collect();
        let page = HistoryPage { messages: &shown, next };
        Reply::Message(MessageReply::History(page)).write(id, out);
        Ok(())
    }

    async fn recall(&self, id: u64, wire: &Named<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        // Only of the caller's own messages: one from the peer is not found in this direction.
        let alter = self.alter([self.caller.user, user(&wire.peer)?], &wire.key, Act::Recall);
        // The time in the key is the message's, or there is no such message.
        if !may_recall(wire.key.time_s, alter.now_ms, self.caller.app.recall_secs) {
            return Err(ErrorCode::RecallTooLate.into());
        }
        match self.gateway.chat.alter(alter).await.map_err(unavailable)? {
            Altered::Done { .. } | Altered::Unchanged => {}
            Altered::Refused(refusal) => return Err(translate::not_altered_code(refusal).into()),
        }
        Reply::Done.write(id, out);
        Ok(())
    }

    async fn edit(&self, id: u64, wire: Edit<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let app = &self.caller.app;
        let found = self.find_message(&wire.message.peer, &wire.message.key).await?;
        let found = found.ok_or(ErrorCode::MessageNotFound)?;
        let [from, to] = [found.message.from, found.message.to];
        if app.edits_own_only && from != self.caller.user {
            return Err(ErrorCode::NotAllowed.with("only its sender can edit a message"));
        }
        let bytes = edited_bytes(&found.message, wire.body.as_ref(), wire.custom_data.as_deref());
        if bytes > app.rules.message_bytes_max {
            return Err(ErrorCode::MessageTooLong.into());
        }
        let (body, marked) = match wire.body {
            Some(body) => {
                let mut content = translate::content(self.frame, body.json, "", body.inspected);
                let marked = judge_edit(&app.rules, &mut content).map_err(translate::refusal_code)?;
                (Some(content.body), marked)
            }
            None => (None, false),
        };
        let act = Act::Edit {
            body,
            custom_data: wire.custom_data.map(|data| Bytes::copy_from_slice(data.as_bytes())),
            version: wire.version.map(edit_version),
            marked,
        };
        let alter = self.alter([from, to], &wire.message.key, act);
        match self.alter_from_device(alter, found).await? {
            Altered::Done { message, .. } => {
                let msg_id = translate::message_id(app.id, &message);
                let shown = translate::shown(&message, &msg_id);
                Reply::Message(MessageReply::Edited(shown)).write(id, out);
                Ok(())
            }
            Altered::Refused(NotAltered::Conflict) => self.refuse_edit(id, &wire.message, out).await,
            Altered::Refused(refusal) => Err(translate::not_altered_code(refusal).into()),
            Altered::Unchanged => Err(ErrorCode::MessageNotFound.into()),
        }
    }

    /// The message was edited by somebody else: the device is shown what it says now.
    async fn refuse_edit(&self, id: u64, wire: &Named<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let found = self.find_message(&wire.peer, &wire.key).await?.ok_or(ErrorCode::MessageNotFound)?;
        let msg_id = translate::message_id(self.caller.app.id, &found.message);
        let shown = translate::shown(&found.message, &msg_id);
        refuse_edit(id, &ErrorCode::MessageVersionConflict.into(), &shown, out);
        Ok(())
    }

    async fn delete(&self, id: u64, wire: &NamedMany<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let between = [self.caller.user, user(&wire.peer)?];
        let deletions = wire.keys.iter().map(|key| {
            let alter = self.alter(between, key, Act::Delete);
            self.gateway.chat.alter(alter)
        });
        for deleted in join_all(deletions).await {
            // One that is not there is as good as deleted.
            deleted.map_err(unavailable)?;
        }
        Reply::Done.write(id, out);
        Ok(())
    }

    async fn confirm(&self, id: u64, wire: &NamedMany<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let between = [user(&wire.peer)?, self.caller.user];
        let confirmations = wire.keys.iter().map(|key| {
            let alter = self.alter(between, key, Act::Confirm);
            self.gateway.chat.alter(alter)
        });
        let results = join_all(confirmations).await;
        // Those that are there are confirmed, wherever in the list the others stand.
        for (key, confirmed) in wire.keys.iter().zip(results) {
            if let Altered::Refused(refusal) = confirmed.map_err(unavailable)? {
                let code = translate::not_altered_code(refusal);
                return Err(code.with(format!("{}: {key}", code.text())));
            }
        }
        Reply::Done.write(id, out);
        Ok(())
    }

    async fn receipts(&self, id: u64, wire: &NamedMany<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let found = join_all(wire.keys.iter().map(|key| self.find_message(&wire.peer, key))).await;
        let mut receipts = Vec::with_capacity(wire.keys.len());
        for (key, found) in wire.keys.iter().zip(found) {
            if let Some(found) = found? {
                receipts.push(Receipt { key: *key, confirmed: found.message.fate.confirmed });
            }
        }
        Reply::Message(MessageReply::Receipts(&receipts)).write(id, out);
        Ok(())
    }

    async fn extensions(&self, id: u64, wire: &Named<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let found = extensible(self.find_message(&wire.peer, &wire.key).await?)?;
        let pairs: Vec<_> = found.extensions.items.iter().map(pair).collect();
        Reply::Message(MessageReply::Extensions(&pairs)).write(id, out);
        Ok(())
    }

    async fn extend(
        &self,
        id: u64,
        wire: &Named<'_>,
        operation: &ExtendOperation<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let found = extensible(self.find_message(&wire.peer, &wire.key).await?)?;
        let between = [found.message.from, found.message.to];
        let mut wanted = extend(operation);
        judge_pairs(&self.caller.app.rules, &mut wanted).map_err(translate::refusal_code)?;
        let alter = self.alter(between, &wire.key, Act::Extend(wanted));
        let changed = match self.alter_from_device(alter, found).await? {
            Altered::Done { items, .. } => items,
            Altered::Unchanged => Vec::new(),
            Altered::Refused(refusal) => return Err(extension_refused(refusal)),
        };
        let keys = keys(operation);
        let is_done = |key: &&str| changed.iter().any(|item| item.key == **key);
        // What was left as it is, is shown as it is.
        let standing = match keys.iter().all(is_done) {
            true => Vec::new(),
            false => extensible(self.find_message(&wire.peer, &wire.key).await?)?.extensions.items,
        };
        let is_set = matches!(operation, ExtendOperation::Set(_));
        let results: Vec<_> = keys.iter().map(|key| result(key, is_set, &changed, &standing)).collect();
        Reply::Message(MessageReply::Extended(&results)).write(id, out);
        Ok(())
    }

    /// Something that the caller does to a message from the first to the second.
    fn alter(&self, [from, to]: [UserId; 2], key: &MsgKey, act: Act) -> Alter {
        Alter {
            app: self.caller.app.id,
            from,
            to,
            key: translate::history_key(key),
            by: self.caller.user,
            act,
            now_ms: self.gateway.chat.clock.now_ms(),
            origin: self.origin,
        }
    }

    /// Something that says something to the other person.
    async fn alter_from_device(&self, alter: Alter, found: Found) -> Result<Altered, Failure> {
        let app = &self.caller.app;
        let altered = self.gateway.chat.alter_from_device(&app.rules, app.device_terms(), alter, found).await;
        altered.map_err(|error| match error {
            SendError::Store(error) => unavailable(error),
            refused => translate::send_failure(refused),
        })
    }

    /// A message that the caller can see.
    async fn find_message(&self, peer: &str, key: &MsgKey) -> Result<Option<Found>, Failure> {
        let (app, caller) = (self.caller.app.id, self.caller.user);
        let conversation = ConversationId::new(app, caller, user(peer)?);
        let key = translate::history_key(key);
        self.gateway.chat.store.find_for(conversation, caller, key).await.map_err(unavailable)
    }
}

fn extend(operation: &ExtendOperation<'_>) -> Extend {
    let known = |pair: &SeenPair<'_>| PairKey { key: pair.key.to_string(), seen: pair.seq };
    match operation {
        ExtendOperation::Set(pairs) => {
            Extend::Set(pairs.iter().map(|set| (known(&set.pair), set.value.to_string())).collect())
        }
        ExtendOperation::Delete(pairs) => Extend::Delete(pairs.iter().map(known).collect()),
        ExtendOperation::Clear => Extend::Clear,
    }
}

fn keys<'a>(operation: &'a ExtendOperation<'_>) -> Vec<&'a str> {
    match operation {
        ExtendOperation::Set(pairs) => pairs.iter().map(|set| &*set.pair.key).collect(),
        ExtendOperation::Delete(pairs) => pairs.iter().map(|pair| &*pair.key).collect(),
        ExtendOperation::Clear => Vec::new(),
    }
}

/// What became of the pair with this key. One that was to be deleted and was not there is as good as deleted.
fn result<'a>(
    key: &'a str,
    is_set: bool,
    changed: &'a [ExtensionItem],
    standing: &'a [ExtensionItem],
) -> Extended<'a> {
    let of_key = |items: &'a [ExtensionItem]| items.iter().rev().find(|item| item.key == key).map(pair);
    if let Some(pair) = of_key(changed) {
        return Extended { pair, refusal: None };
    }
    let standing = of_key(standing);
    let is_refused = is_set || standing.is_some();
    Extended {
        pair: standing.unwrap_or(Extension { key, value: "", seq: 0 }),
        refusal: is_refused.then_some(ErrorCode::ExtensionConflict),
    }
}
