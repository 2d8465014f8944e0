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
        /// A word list marked the new body.
        marked: bool,
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
    Set(Vec<(PairKey, String)>),
    Delete(Vec<PairKey>),
    Clear,
}

/// A pair as whoever changes it knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairKey {
    pub key: String,
    /// The version that the change is meant for: a pair that has a later one stays as it is. `None` for any.
    pub seen: Option<u64>,
}

impl From<String> for PairKey {
    fn from(key: String) -> Self {
        Self { key, seen: None }
    }
}

impl PairKey {
    /// Whether the pair was changed since.
    pub fn is_behind(&self, extensions: &Extensions) -> bool {
        let is_later = |item: &ExtensionItem| self.seen.is_some_and(|seen| seen < item.version);
        extensions.items.iter().any(|item| item.key == self.key && is_later(item))
    }
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
        Act::Edit { body, custom_data, marked, .. } => {
            message.delivery.marked |= marked;
            Ok(edit(alter.by, message, conversation, [body.as_ref(), custom_data.as_ref()]))
        }
        Act::Confirm => Ok(confirm(alter.by, message, conversation)),
        Act::Delete => delete(alter, message, conversation),
        Act::Extend(_) if message.fate.recalled => Err(NotAltered::NotFound),
        Act::Extend(_) if !message.delivery.extensible => Err(NotAltered::NotExtensible),
        Act::Extend(extend) => self::extend(extend, message, conversation, extensions),
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
    let mut effects = told_to_both(message, conversation, Alteration::Recalled, read);
    let unread = unread_total - read;
    effects.facts.push(Fact::AfterRecall(AfterRecall { message: name(message), unread }));
    Ok(effects)
}

fn edit(
    by: UserId,
    message: &mut Message,
    conversation: &Conversation,
    [body, custom_data]: [Option<&Bytes>; 2],
) -> Effects {
    if let Some(body) = body {
        message.body = body.clone();
    }
    if let Some(custom_data) = custom_data {
        message.custom_data = custom_data.clone();
    }
    message.fate.version += 1;
    let mut effects = told_to_both(message, conversation, Alteration::Edited, 0);
    effects.facts.push(Fact::AfterEdit(AfterEdit {
        operator: by,
        message: name(message),
        body: message.body.clone(),
        custom_data: message.custom_data.clone(),
    }));
    effects
}

fn confirm(by: UserId, message: &mut Message, conversation: &Conversation) -> Effects {
    let wanted = message.delivery.needs_receipt && message.to == by;
    if !wanted || message.fate.confirmed || message.fate.recalled {
        return Effects::default();
    }
    message.fate.confirmed = true;
    told_to_both(message, conversation, Alteration::Confirmed, 0)
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

fn extend(
    extend: &Extend,
    message: &Message,
    conversation: &Conversation,
    extensions: &mut Extensions,
) -> Result<Effects, NotAltered> {
    let mut changed = Vec::new();
    let how = match extend {
        Extend::Set(pairs) => {
            let pairs: Vec<_> = pairs.iter().filter(|(pair, _)| !pair.is_behind(extensions)).collect();
            let mut keys: Vec<&str> = extensions.items.iter().map(|item| &*item.key).collect();
            keys.extend(pairs.iter().map(|(pair, _)| &*pair.key));
            keys.sort_unstable();
            keys.dedup();
            if keys.len() > EXTENSIONS_LEN_MAX {
                return Err(NotAltered::TooManyPairs);
            }
            for (PairKey { key, .. }, value) in pairs {
                extensions.latest += 1;
                let item =
                    ExtensionItem { key: key.clone(), value: value.clone(), version: extensions.latest };
                extensions.items.retain(|known| known.key != *key);
                extensions.items.push(item.clone());
                changed.push(item);
            }
            ExtensionChange::Set
        }
        Extend::Delete(pairs) => {
            for pair in pairs.iter().filter(|pair| !pair.is_behind(extensions)).collect::<Vec<_>>() {
                let before = extensions.items.len();
                extensions.items.retain(|known| known.key != pair.key);
                if extensions.items.len() < before {
                    extensions.latest += 1;
                    let (key, version) = (pair.key.clone(), extensions.latest);
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
    let mut effects = told_to_both(message, conversation, Alteration::Extended, 0);
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

/// Entries for both people, as far as they have the message: whoever has cleared their history is not shown again what
/// was in it. `read`: unread messages that the recipient has fewer.
fn told_to_both(message: &Message, conversation: &Conversation, how: Alteration, read: u32) -> Effects {
    let mut effects = Effects::default();
    if conversation.shows(message, &message.to) {
        effects.enter(message.to, change(message, &message.to, how), -i64::from(read));
    }
    if message.from != message.to && conversation.shows(message, &message.from) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::View;
    use crate::event::Platform;
    use crate::id::Side;
    use crate::message::{Delivery, Fate};
    use std::net::{IpAddr, Ipv4Addr};

    fn user(text: &str) -> UserId {
        UserId::new(text).unwrap()
    }

    /// The third message from Ana to Bo, of 1003; extensible, and to be confirmed.
    fn found() -> Found {
        let message = Message {
            from: user("ana"),
            to: user("bo"),
            time_s: 1003,
            seq: 3,
            wire_seq: 3,
            wire_seq_given: false,
            random: 9,
            client_time_s: 1000,
            body: Bytes::from_static(b"body"),
            custom_data: Bytes::from_static(b"custom"),
            offline_push: Bytes::from_static(b"push"),
            content_crc: 7,
            delivery: Delivery { needs_receipt: true, extensible: true, ..Delivery::default() },
            fate: Fate::default(),
        };
        Found { message, extensions: Extensions::default() }
    }

    /// Bo has not read the last three of four messages.
    fn conversation() -> Conversation {
        let bo = View { unread: 3, read_seq: 1, ..View::default() };
        Conversation { seq: 4, time_s: 1004, sides: [View::default(), bo] }
    }

    fn by(name: &str, act: Act) -> Alter {
        Alter {
            app: AppId(1),
            from: user("ana"),
            to: user("bo"),
            key: found().message.key(),
            by: user(name),
            act,
            now_ms: 5,
            origin: Origin { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), platform: Platform::Web },
        }
    }

    fn edit(version: Option<u32>) -> Act {
        Act::Edit { body: Some(Bytes::from_static(b"new")), custom_data: None, version, marked: false }
    }

    fn set(keys: &[&str]) -> Act {
        Act::Extend(Extend::Set(
            keys.iter().map(|key| ((*key).to_owned().into(), "value".to_owned())).collect(),
        ))
    }

    /// The owners of the log entries, with what changes in their unread totals.
    fn told(effects: &Effects) -> Vec<(&str, i64)> {
        effects.entries.iter().map(|entry| (entry.user.as_str(), entry.unread_by)).collect()
    }

    #[test]
    fn a_pair_that_was_changed_since_stays_as_it_is() {
        let pair = |key: &str, seen| PairKey { key: key.to_owned(), seen };
        let set = |pairs: &[(PairKey, &str)]| {
            let owned = |(pair, value): &(PairKey, &str)| (pair.clone(), (*value).to_owned());
            Act::Extend(Extend::Set(pairs.iter().map(owned).collect()))
        };
        let (mut found, mut conversation) = (found(), conversation());
        let mut changed = |act| {
            let effects = alter(&by("bo", act), &mut found, &mut conversation, 8).unwrap();
            let items = changed_items(&effects).into_iter();
            items.map(|item| format!("{}={} {}", item.key, item.value, item.version)).collect::<Vec<_>>()
        };
        assert_eq!(changed(set(&[(pair("a", Some(0)), "1"), (pair("b", Some(9)), "1")])), ["a=1 1", "b=1 2"]);
        let second = [(pair("a", Some(0)), "2"), (pair("b", Some(2)), "2"), (pair("c", Some(0)), "2")];
        assert_eq!(changed(set(&second)), ["b=2 3", "c=2 4"]);
        assert_eq!(changed(set(&[(pair("a", Some(0)), "3")])), [""; 0]);
        assert_eq!(changed(set(&[(pair("a", None), "3")])), ["a=3 5"]);
        let delete = |pairs: &[PairKey]| Act::Extend(Extend::Delete(pairs.to_vec()));
        assert_eq!(changed(delete(&[pair("a", Some(4)), pair("b", Some(3)), pair("x", Some(0))])), ["b= 6"]);
        // What is gone may be set by one who does not know it any more.
        assert_eq!(changed(set(&[(pair("b", Some(0)), "4")])), ["b=4 7"]);
        assert_eq!(changed(delete(&[pair("c", None)])), ["c= 8"]);
    }

    #[test]
    fn what_stands_in_the_way_of_an_act() {
        let plain = |_: &mut Message, _: &mut Conversation| {};
        let recalled = |message: &mut Message, _: &mut Conversation| message.fate.recalled = true;
        let edited = |message: &mut Message, _: &mut Conversation| message.fate.version = 2;
        let confirmed = |message: &mut Message, _: &mut Conversation| message.fate.confirmed = true;
        let unlabelled = |message: &mut Message, _: &mut Conversation| message.delivery = Delivery::default();
        let deleted = |message: &mut Message, _: &mut Conversation| message.fate.deleted[1] = true;
        let hidden =
            |message: &mut Message, _: &mut Conversation| message.delivery.hidden_from_recipient = true;
        let cleared =
            |_: &mut Message, conversation: &mut Conversation| conversation.sides[1].cleared_seq = 3;
        let done = Ok(false);
        let unchanged = Ok(true);
        type Prepare = fn(&mut Message, &mut Conversation);
        let table: &[(Alter, Prepare, Result<bool, NotAltered>)] = &[
            (by("ana", Act::Recall), plain, done),
            (by("ana", Act::Recall), recalled, Err(NotAltered::Recalled)),
            (by("ana", edit(None)), edited, done),
            (by("ana", edit(Some(2))), edited, done),
            (by("ana", edit(Some(1))), edited, Err(NotAltered::Conflict)),
            (by("ana", edit(None)), recalled, Err(NotAltered::Recalled)),
            (by("bo", Act::Confirm), plain, done),
            (by("ana", Act::Confirm), plain, unchanged),
            (by("bo", Act::Confirm), confirmed, unchanged),
            (by("bo", Act::Confirm), unlabelled, unchanged),
            (by("bo", Act::Confirm), recalled, unchanged),
            (by("bo", Act::Delete), plain, done),
            (by("ana", Act::Delete), plain, done),
            (by("bo", Act::Delete), recalled, done),
            (by("bo", Act::Delete), deleted, unchanged),
            (by("bo", Act::Delete), hidden, unchanged),
            (by("bo", Act::Delete), cleared, Err(NotAltered::NotFound)),
            (by("cy", Act::Delete), plain, Err(NotAltered::NotFound)),
            (by("bo", set(&["a"])), plain, done),
            (by("bo", set(&[])), plain, unchanged),
            (by("bo", set(&["a"])), unlabelled, Err(NotAltered::NotExtensible)),
            (by("bo", set(&["a"])), recalled, Err(NotAltered::NotFound)),
            (by("bo", Act::Extend(Extend::Clear)), plain, unchanged),
            (by("bo", Act::Extend(Extend::Delete(vec!["a".to_owned().into()]))), plain, unchanged),
        ];
        for (wanted, prepare, expected) in table {
            let (mut found, mut conversation) = (found(), conversation());
            prepare(&mut found.message, &mut conversation);
            let before = (found.clone(), conversation);
            let outcome = alter(wanted, &mut found, &mut conversation, 8);
            assert_eq!(
                outcome.as_ref().map(Effects::is_none).map_err(|refusal| *refusal),
                *expected,
                "{wanted:?}"
            );
            assert_eq!((found, conversation) == before, *expected != done, "{wanted:?}");
        }
    }

    #[test]
    fn only_what_is_unread_is_taken_off_the_count() {
        type Prepare = fn(&mut Message, &mut Conversation);
        let table: &[(Prepare, u32)] = &[
            (|_, _| {}, 2),
            (|_, conversation| conversation.sides[1].read_seq = 3, 3),
            (|_, conversation| conversation.sides[1].read_time_s = 1003, 3),
            (|_, conversation| conversation.sides[1].read_time_s = 1002, 2),
            (|_, conversation| conversation.sides[1].cleared_seq = 3, 3),
            (|message, _| message.delivery.no_unread = true, 3),
            (|message, _| message.fate.deleted[1] = true, 3),
            // The sender's own view has nothing to do with it.
            (|message, _| message.fate.deleted[0] = true, 2),
        ];
        for (at, (prepare, left)) in table.iter().enumerate() {
            let (mut found, mut conversation) = (found(), conversation());
            prepare(&mut found.message, &mut conversation);
            let effects = alter(&by("ana", Act::Recall), &mut found, &mut conversation, 8).unwrap();
            assert_eq!(conversation.sides[1].unread, *left, "{at}");
            let Fact::AfterRecall(fact) = &effects.facts[0] else { panic!("{effects:?}") };
            assert_eq!(fact.unread, 8 - (3 - left), "{at}");
        }
    }

    #[test]
    fn everyone_who_sees_the_message_is_told() {
        let (mut found, mut conversation) = (found(), conversation());
        let effects = alter(&by("bo", Act::Delete), &mut found, &mut conversation, 8).unwrap();
        assert_eq!((told(&effects), effects.facts.len()), (vec![("bo", -1)], 0));
        // Bo does not see it any more, and it counts no longer.
        let effects = alter(&by("ana", edit(None)), &mut found, &mut conversation, 7).unwrap();
        assert_eq!((told(&effects), effects.facts.len()), (vec![("ana", 0)], 1));
        let effects = alter(&by("ana", Act::Recall), &mut found, &mut conversation, 7).unwrap();
        assert_eq!((told(&effects), conversation.sides[1].unread), (vec![("ana", 0)], 2));

        let (mut found, mut conversation) = (self::found(), self::conversation());
        let effects = alter(&by("ana", Act::Recall), &mut found, &mut conversation, 8).unwrap();
        assert_eq!(told(&effects), [("bo", -1), ("ana", 0)]);
        let effects = alter(&by("bo", Act::Delete), &mut found, &mut conversation, 7).unwrap();
        assert_eq!(told(&effects), [("bo", 0)], "what was recalled is not uncounted twice");
    }

    #[test]
    fn who_has_cleared_the_history_is_not_told_of_what_was_in_it() {
        for act in [Act::Recall, edit(None), Act::Confirm, set(&["a"])] {
            let (mut found, mut conversation) = (found(), conversation());
            let last = conversation.last();
            conversation.view(Side::High).clear(last);
            let effects = alter(&by("bo", act.clone()), &mut found, &mut conversation, 8).unwrap();
            assert_eq!(told(&effects), [("ana", 0)], "{act:?}");
        }
        let (mut found, mut conversation) = (found(), conversation());
        conversation.sides[0].cleared_seq = 3;
        let effects = alter(&by("bo", set(&["a"])), &mut found, &mut conversation, 8).unwrap();
        assert_eq!(told(&effects), [("bo", 0)]);
        conversation.sides[0].cleared_seq = 2;
        let effects = alter(&by("bo", set(&["a"])), &mut found, &mut conversation, 8).unwrap();
        assert_eq!(told(&effects), [("bo", 0), ("ana", 0)]);
    }

    #[test]
    fn nothing_of_the_content_outlasts_a_recall() {
        let (mut found, mut conversation) = (found(), conversation());
        alter(&by("bo", set(&["a"])), &mut found, &mut conversation, 8).unwrap();
        alter(&by("ana", Act::Recall), &mut found, &mut conversation, 8).unwrap();
        let Message { body, custom_data, offline_push, .. } = &found.message;
        assert!(body.is_empty() && custom_data.is_empty() && offline_push.is_empty());
        assert_eq!(found.extensions, Extensions::default());
        assert_eq!(found.message.key(), self::found().message.key());
    }

    #[test]
    fn pairs_are_bounded_by_what_would_be_there() {
        let keys: Vec<String> = (0..EXTENSIONS_LEN_MAX).map(|number| number.to_string()).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let (mut found, mut conversation) = (found(), conversation());
        let mut extend = |keys: &[&str]| {
            let effects = alter(&by("bo", set(keys)), &mut found, &mut conversation, 8);
            effects.map(|effects| changed_items(&effects).last().map_or(0, |item| item.version))
        };
        assert_eq!(extend(&keys[1..]), Ok(299));
        assert_eq!(extend(&["0", "more"]), Err(NotAltered::TooManyPairs));
        // The same key twice is one pair, with the version of the later one.
        assert_eq!(extend(&["0", "0"]), Ok(301));
        assert_eq!(extend(&["7"]), Ok(302));
        assert_eq!(extend(&["more"]), Err(NotAltered::TooManyPairs));
    }

    #[test]
    fn who_wrote_it_matters_where_it_is_taken_back_or_edited() {
        let message = found().message;
        let turned = |act| Alter { from: user("bo"), to: user("ana"), ..by("bo", act) };
        let table = [
            (turned(Act::Recall), false),
            (turned(edit(None)), false),
            (turned(Act::Confirm), false),
            (turned(Act::Delete), true),
            (turned(set(&["a"])), true),
            (by("bo", Act::Recall), true),
            (Alter { key: MessageKey { random: 8, ..message.key() }, ..by("bo", Act::Recall) }, false),
            (Alter { key: MessageKey { time_s: 1004, ..message.key() }, ..by("bo", Act::Delete) }, false),
        ];
        for (wanted, expected) in table {
            assert_eq!(wanted.means(&message), expected, "{wanted:?}");
        }
    }
}
