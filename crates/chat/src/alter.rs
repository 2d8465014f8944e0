//! What can be done to a message that was sent: take it back, edit it, confirm it, extend it, delete it for oneself.
//!
//! Here once, so that no store can count differently from another: a store finds the message, lets [`alter`] change
//! it, and keeps the results.

use crate::conversation::{Alteration, Change, Conversation};
use crate::effect::{Effects, Told};
use crate::event::{
    AfterEdit, AfterExtension, AfterRecall, ExtensionChange, ExtensionItem, Fact, MessageName, Origin,
};
use crate::id::{AppId, ConversationId, UserId};
use crate::message::{Message, MessageKey};
use bytes::Bytes;
use std::sync::Arc;

/// Pairs that one message can have.
pub const EXTENSIONS_LEN_MAX: usize = 300;

/// Something that is to be done to one message.
#[derive(Debug, Clone)]
pub struct Alter {
    pub app: AppId,
    pub from: UserId,
    pub to: UserId,
    pub key: MessageKey,
    /// Who does it: one of the two people, or an admin.
    pub by: UserId,
    pub act: Act,
    pub now_ms: u64,
    pub origin: Origin,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    Recall,
    Edit {
        /// `None` leaves what is there.
        body: Option<Bytes>,
        custom_data: Option<Bytes>,
        /// The version that the edit is meant for, if it matters.
        version: Option<u32>,
    },
    /// The recipient has read it.
    Confirm,
    /// Takes it out of the history of whoever does it.
    Delete,
    Extend(Extend),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extend {
    /// Keys with their values.
    Set(Vec<(String, String)>),
    Delete(Vec<String>),
    Clear,
}

/// The key-value pairs of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extensions {
    /// Rises with every change of a pair, which takes it as its version.
    pub latest: u64,
    /// Everything up to this version was taken off at once.
    pub cleared: u64,
    /// In the order of their versions.
    pub items: Vec<ExtensionItem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Altered {
    Done {
        message: Arc<Message>,
        /// The pairs that an [`Extend`] changed.
        items: Vec<ExtensionItem>,
        told: Told,
    },
    /// It was so already.
    Unchanged,
    Refused(NotAltered),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAltered {
    /// There is no such message.
    NotFound,
    /// It was taken back before.
    Recalled,
    /// It has another version than the edit is meant for.
    Conflict,
    /// It was sent without the wish to be extended.
    NotExtensible,
    TooManyPairs,
}

/// A message as it stands, with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub message: Message,
    pub extensions: Extensions,
}

impl Alter {
    pub fn conversation(&self) -> ConversationId {
        ConversationId::new(self.app, self.from, self.to)
    }

    /// Whether it is this message that is meant. Who recalls or edits has to say who wrote it; for the rest, the two
    /// people may be named in either order.
    pub fn means(&self, message: &Message) -> bool {
        let either_way = matches!(self.act, Act::Delete | Act::Extend(_));
        message.key() == self.key && (either_way || (message.from == self.from && message.to == self.to))
    }
}

/// Does it to the message. `unread_total` is that of the message's recipient. When there are no effects, nothing was
/// changed.
pub fn alter(
    alter: &Alter,
    found: &mut Found,
    conversation: &mut Conversation,
    unread_total: u32,
) -> Result<Effects, NotAltered> {
    let Found { message, extensions } = found;
    match &alter.act {
        Act::Recall => recall(message, extensions, conversation, unread_total),
        Act::Edit { version, .. } if version.is_some_and(|version| version != message.fate.version) => {
            Err(NotAltered::Conflict)
        }
        Act::Edit { .. } if message.fate.recalled => Err(NotAltered::Recalled),
        Act::Edit { body, custom_data, .. } => {
            Ok(edit(alter.by, message, body.as_ref(), custom_data.as_ref()))
        }
        Act::Confirm => Ok(confirm(alter.by, message)),
        Act::Delete => delete(alter, message, conversation),
        Act::Extend(_) if message.fate.recalled => Err(NotAltered::NotFound),
        Act::Extend(_) if !message.delivery.extensible => Err(NotAltered::NotExtensible),
        Act::Extend(extend) => self::extend(extend, message, extensions),
    }
}

/// Takes the message off the count of its recipient, if it is on it.
fn uncount(message: &Message, conversation: &mut Conversation) -> u32 {
    let view = conversation.view(message.side(&message.to));
    let was_unread = message.counts() && view.is_unread(message.place());
    view.unread -= u32::from(was_unread);
    u32::from(was_unread)
}

fn recall(
    message: &mut Message,
    extensions: &mut Extensions,
    conversation: &mut Conversation,
    unread_total: u32,
) -> Result<Effects, NotAltered> {
    if message.fate.recalled {
        return Err(NotAltered::Recalled);
    }
    let read = uncount(message, conversation);
    message.fate.recalled = true;
    message.body = Bytes::new();
    message.custom_data = Bytes::new();
    message.offline_push = Bytes::new();
    *extensions = Extensions::default();
    let mut effects = told_to_both(message, Alteration::Recalled, read);
    let unread = unread_total - read;
    effects.facts.push(Fact::AfterRecall(AfterRecall { message: name(message), unread }));
    Ok(effects)
}

fn edit(by: UserId, message: &mut Message, body: Option<&Bytes>, custom_data: Option<&Bytes>) -> Effects {
    if let Some(body) = body {
        message.body = body.clone();
    }
    if let Some(custom_data) = custom_data {
        message.custom_data = custom_data.clone();
    }
    message.fate.version += 1;
    let mut effects = told_to_both(message, Alteration::Edited, 0);
    effects.facts.push(Fact::AfterEdit(AfterEdit {
        operator: by,
        message: name(message),
        body: message.body.clone(),
        custom_data: message.custom_data.clone(),
    }));
    effects
}

fn confirm(by: UserId, message: &mut Message) -> Effects {
    let wanted = message.delivery.needs_receipt && message.to == by;
    if !wanted || message.fate.confirmed || message.fate.recalled {
        return Effects::default();
    }
    message.fate.confirmed = true;
    told_to_both(message, Alteration::Confirmed, 0)
}

fn delete(
    alter: &Alter,
    message: &mut Message,
    conversation: &mut Conversation,
) -> Result<Effects, NotAltered> {
    let by = alter.by;
    let is_party = by == message.from || by == message.to;
    if !is_party || message.seq <= conversation.view(message.side(&by)).cleared_seq {
        return Err(NotAltered::NotFound);
    }
    let mut effects = Effects::default();
    if message.visible_to(&by) {
        let read = if by == message.to { uncount(message, conversation) } else { 0 };
        message.fate.deleted[message.side(&by) as usize] = true;
        effects.enter(by, change(message, &by, Alteration::Deleted), -i64::from(read));
    }
    Ok(effects)
}

fn extend(extend: &Extend, message: &Message, extensions: &mut Extensions) -> Result<Effects, NotAltered> {
    let mut changed = Vec::new();
    let how = match extend {
        Extend::Set(pairs) => {
            let mut keys: Vec<&str> = extensions.items.iter().map(|item| &*item.key).collect();
            keys.extend(pairs.iter().map(|(key, _)| &**key));
            keys.sort_unstable();
            keys.dedup();
            if keys.len() > EXTENSIONS_LEN_MAX {
                return Err(NotAltered::TooManyPairs);
            }
            for (key, value) in pairs {
                extensions.latest += 1;
                let item =
                    ExtensionItem { key: key.clone(), value: value.clone(), version: extensions.latest };
                extensions.items.retain(|known| known.key != *key);
                extensions.items.push(item.clone());
                changed.push(item);
            }
            ExtensionChange::Set
        }
        Extend::Delete(keys) => {
            for key in keys {
                let before = extensions.items.len();
                extensions.items.retain(|known| known.key != *key);
                if extensions.items.len() < before {
                    extensions.latest += 1;
                    let (key, version) = (key.clone(), extensions.latest);
                    changed.push(ExtensionItem { key, value: String::new(), version });
                }
            }
            ExtensionChange::Delete
        }
        Extend::Clear if extensions.items.is_empty() => return Ok(Effects::default()),
        Extend::Clear => {
            extensions.items.clear();
            extensions.latest += 1;
            extensions.cleared = extensions.latest;
            ExtensionChange::Clear
        }
    };
    if changed.is_empty() && how != ExtensionChange::Clear {
        return Ok(Effects::default());
    }
    let mut effects = told_to_both(message, Alteration::Extended, 0);
    let (items, version) = (changed, extensions.latest);
    effects.facts.push(Fact::AfterExtension(AfterExtension {
        message: name(message),
        change: how,
        items,
        version,
    }));
    Ok(effects)
}

/// The pairs that effects tell of.
pub fn changed_items(effects: &Effects) -> Vec<ExtensionItem> {
    let items = effects.facts.iter().filter_map(|fact| match fact {
        Fact::AfterExtension(fact) => Some(&fact.items),
        _ => None,
    });
    items.flatten().cloned().collect()
}

/// Entries for both people, as far as they see the message. `read`: unread messages that the recipient has fewer.
fn told_to_both(message: &Message, how: Alteration, read: u32) -> Effects {
    let mut effects = Effects::default();
    if message.visible_to(&message.to) {
        effects.enter(message.to, change(message, &message.to, how), -i64::from(read));
    }
    if message.from != message.to && message.visible_to(&message.from) {
        effects.enter(message.from, change(message, &message.from, how), 0);
    }
    effects
}

fn change(message: &Message, owner: &UserId, how: Alteration) -> Change {
    let peer = if *owner == message.from { message.to } else { message.from };
    Change::Altered { peer, time_s: message.time_s, seq: message.seq, how }
}

fn name(message: &Message) -> MessageName {
    let MessageKey { wire_seq, random, time_s } = message.key();
    MessageName { from: message.from, to: message.to, wire_seq, random, time_s }
}
