//! What is done to messages that were sent.

use super::talk::is_seen;
use super::{Kept, Ledger, Named, News, Talk};
use crate::report::{Checked, holds};
use bytes::Bytes;
use chat::alter::{Act, Alter, Altered, EXTENSIONS_LEN_MAX, Extend, Extensions, NotAltered, PairKey};
use chat::conversation::Alteration;
use chat::event::{AfterEdit, AfterExtension, AfterRecall, ExtensionChange, ExtensionItem, MessageName};
use chat::message::Fate;
use chat::{Change, Delivery, Fact, Message, UserId};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Ledger {
    pub(crate) fn altered(&mut self, alter: &Alter, answer: &Altered) -> Checked {
        let Some((talk, index)) = self.meant(alter) else {
            return holds(*answer == Altered::Refused(NotAltered::NotFound), "refusals_are_true", || {
                format!("there is no message for {alter:?}, which came to {answer:?}")
            });
        };
        let (app, act) = (alter.app, &alter.act);
        let Altered::Done { message, items, told } = answer else {
            let is_true = justifies(&self.talks[talk], &self.talks[talk].messages[index], alter, answer);
            return holds(is_true, "refusals_are_true", || {
                let kept = &self.talks[talk].messages[index];
                format!("{alter:?} came to {answer:?}, and the message is {kept:?}")
            });
        };
        let id = self.talks[talk].id;
        let kept = &mut self.talks[talk].messages[index];
        let before = Arc::clone(kept.last());
        let expected = outcome(act, alter.by, &before, id.low);
        holds(
            **message == expected && expected != *before || matches!(act, Act::Extend(_)),
            "messages_are_what_was_made_of_them",
            || format!("{act:?} made {message:?} of {before:?}, not {expected:?}"),
        )?;
        let mut fact = None;
        match act {
            Act::Recall => {
                (kept.unread, kept.pairs) = (false, Extensions::default());
            }
            Act::Edit { .. } => {
                let (body, custom_data) = (expected.body.clone(), expected.custom_data.clone());
                let (operator, message) = (alter.by, name(&expected));
                fact = Some(Fact::AfterEdit(AfterEdit { operator, message, body, custom_data }));
            }
            Act::Confirm => {}
            Act::Delete => kept.unread &= alter.by != expected.to,
            Act::Extend(extend) => {
                let (change, changed) = apply(extend, &mut kept.pairs);
                holds(changed == *items, "messages_are_what_was_made_of_them", || {
                    format!("{extend:?} changed {items:?}, and should have changed {changed:?}")
                })?;
                let (message, version) = (name(&expected), kept.pairs.latest);
                fact =
                    Some(Fact::AfterExtension(AfterExtension { message, change, items: changed, version }));
            }
        }
        kept.versions.push(Arc::clone(message));
        let named = Named { talk, message: index, version: kept.versions.len() - 1 };
        if *act == Act::Recall {
            let unread = self.unread(app, expected.to);
            fact = Some(Fact::AfterRecall(AfterRecall { message: name(&expected), unread }));
        }
        let (entries, facts) = (entries(alter, &before, &self.talks[talk]), fact.into_iter().collect());
        self.tell(app, News { entries, named: Some(named), facts }, told)
    }

    /// The newest message that is meant.
    fn meant(&self, alter: &Alter) -> Option<(usize, usize)> {
        let talk = *self.current.get(&alter.conversation())?;
        let either_way = matches!(alter.act, Act::Delete | Act::Extend(_));
        let fits = |kept: &Kept| {
            let message = kept.first();
            let same_people = (message.from, message.to) == (alter.from, alter.to);
            message.key() == alter.key && (either_way || same_people)
        };
        Some((talk, self.talks[talk].messages.iter().rposition(fits)?))
    }
}

/// What an act makes of a message.
fn outcome(act: &Act, by: UserId, before: &Message, low: UserId) -> Message {
    let Fate { version, mut deleted, .. } = before.fate;
    match act {
        Act::Recall => Message {
            body: Bytes::new(),
            custom_data: Bytes::new(),
            offline_push: Bytes::new(),
            fate: Fate { recalled: true, ..before.fate },
            ..before.clone()
        },
        Act::Edit { body, custom_data, marked, .. } => Message {
            delivery: Delivery { marked: before.delivery.marked || *marked, ..before.delivery },
            body: body.clone().unwrap_or_else(|| before.body.clone()),
            custom_data: custom_data.clone().unwrap_or_else(|| before.custom_data.clone()),
            fate: Fate { version: version + 1, ..before.fate },
            ..before.clone()
        },
        Act::Confirm => Message { fate: Fate { confirmed: true, ..before.fate }, ..before.clone() },
        Act::Delete => {
            deleted[usize::from(by != low)] = true;
            Message { fate: Fate { deleted, ..before.fate }, ..before.clone() }
        }
        Act::Extend(_) => before.clone(),
    }
}

/// Who hears of it, and what.
fn entries(alter: &Alter, before: &Message, talk: &Talk) -> Vec<(UserId, Change)> {
    let how = match alter.act {
        Act::Recall => Alteration::Recalled,
        Act::Edit { .. } => Alteration::Edited,
        Act::Confirm => Alteration::Confirmed,
        Act::Delete => Alteration::Deleted,
        Act::Extend(_) => Alteration::Extended,
    };
    let Message { from, to, time_s, seq, .. } = *before;
    let is_own_affair = alter.act == Act::Delete;
    let mut both = vec![(to, from), (from, to)];
    both.dedup();
    both.retain(|(user, _)| has(talk, before, user) && (!is_own_affair || *user == alter.by));
    let entry = |(user, peer)| (user, Change::Altered { peer, time_s, seq, how });
    both.into_iter().map(entry).collect()
}

/// Whether someone has the message in their history.
fn has(talk: &Talk, message: &Message, user: &UserId) -> bool {
    is_seen(message, user) && message.seq > talk.side(user).cleared_seq
}

/// Whether an answer by which nothing is done is true.
fn justifies(talk: &Talk, kept: &Kept, alter: &Alter, answer: &Altered) -> bool {
    let message = kept.last();
    let Fate { recalled, version, confirmed, .. } = message.fate;
    let known = |key: &String| kept.pairs.items.iter().find(|item| item.key == *key);
    let is_late = |pair: &PairKey| {
        known(&pair.key).is_some_and(|item| pair.seen.is_some_and(|seen| seen < item.version))
    };
    let by = alter.by;
    let is_party = by == message.from || by == message.to;
    let refusal = match answer {
        Altered::Done { .. } => return false,
        Altered::Unchanged => {
            return match &alter.act {
                Act::Recall | Act::Edit { .. } => false,
                Act::Extend(Extend::Set(pairs)) => pairs.iter().all(|(pair, _)| is_late(pair)),
                Act::Confirm => {
                    let wanted = message.delivery.needs_receipt && by == message.to;
                    // What nobody sees any more is confirmed to nobody.
                    let is_seen = [message.from, message.to].iter().any(|user| has(talk, message, user));
                    !wanted || confirmed || recalled || !is_seen
                }
                Act::Delete => is_party && !is_seen(message, &by),
                Act::Extend(Extend::Delete(pairs)) => {
                    pairs.iter().all(|pair| known(&pair.key).is_none() || is_late(pair))
                }
                Act::Extend(Extend::Clear) => kept.pairs.items.is_empty(),
            };
        }
        Altered::Refused(refusal) => refusal,
    };
    match (refusal, &alter.act) {
        (NotAltered::NotFound, Act::Delete) => !is_party || message.seq <= talk.side(&by).cleared_seq,
        (NotAltered::NotFound, Act::Extend(_)) => recalled,
        (NotAltered::NotFound, _) => false,
        (NotAltered::Recalled, Act::Recall | Act::Edit { .. }) => recalled,
        (NotAltered::Conflict, Act::Edit { version: meant, .. }) => {
            meant.is_some_and(|meant| meant != version)
        }
        (NotAltered::NotExtensible, Act::Extend(_)) => !message.delivery.extensible,
        (NotAltered::TooManyPairs, Act::Extend(Extend::Set(pairs))) => {
            let mut keys: BTreeSet<&String> = kept.pairs.items.iter().map(|item| &item.key).collect();
            keys.extend(pairs.iter().map(|(pair, _)| &pair.key));
            keys.len() > EXTENSIONS_LEN_MAX
        }
        _ => false,
    }
}

fn apply(extend: &Extend, pairs: &mut Extensions) -> (ExtensionChange, Vec<ExtensionItem>) {
    let mut changed = Vec::new();
    let mut change_one = |pairs: &mut Extensions, key: &String, value: &str| {
        pairs.latest += 1;
        let item = ExtensionItem { key: key.clone(), value: value.to_owned(), version: pairs.latest };
        pairs.items.retain(|known| known.key != *key);
        changed.push(item.clone());
        item
    };
    let before = pairs.clone();
    let is_late = |pair: &PairKey| {
        let known = before.items.iter().find(|item| item.key == pair.key);
        known.is_some_and(|item| pair.seen.is_some_and(|seen| seen < item.version))
    };
    let change = match extend {
        Extend::Set(wanted) => {
            for (pair, value) in wanted.iter().filter(|(pair, _)| !is_late(pair)) {
                let item = change_one(pairs, &pair.key, value);
                pairs.items.push(item);
            }
            ExtensionChange::Set
        }
        Extend::Delete(keys) => {
            for PairKey { key, .. } in keys.iter().filter(|pair| !is_late(pair)) {
                if pairs.items.iter().any(|item| item.key == *key) {
                    change_one(pairs, key, "");
                }
            }
            ExtensionChange::Delete
        }
        Extend::Clear => {
            pairs.items.clear();
            pairs.latest += 1;
            pairs.cleared = pairs.latest;
            ExtensionChange::Clear
        }
    };
    (change, changed)
}

fn name(message: &Message) -> MessageName {
    let Message { from, to, wire_seq, random, time_s, .. } = *message;
    MessageName { from, to, wire_seq, random, time_s }
}
