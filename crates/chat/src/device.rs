//! What devices may do to messages, and backends need not ask about.
//!
//! A change of a message says something to the other person, so it has to get past what a send has to get past: a mute,
//! a blocklist, the word lists, and for an edit the app's backend. Unlike for a send, people's decisions are looked at
//! before the commit and not in it: a block that comes while an edit is on its way may be a moment late.

use crate::admit::{Admitted, Standing, Terms, admit};
use crate::alter::{self, Act, Alter, Altered, Extend, changed_items};
use crate::conversation::{Conversation, Notify};
use crate::effect::Told;
use crate::event::Refusal;
use crate::filter::{self, Judgement};
use crate::id::UserId;
use crate::message::{Content, MessageKey};
use crate::port::{Found, Question, StoreError};
use crate::send::{Chat, SendError, SendRules, Verdict, filtered, fits, verdict};
use std::sync::Arc;

/// Whether a message of this second can still be taken back by the device that sent it.
pub fn may_recall(time_s: u64, now_ms: u64, recall_secs: u64) -> bool {
    now_ms / 1000 <= time_s.saturating_add(recall_secs)
}

/// Holds what a device wants a message to say to the word lists. Says whether one of them marks it.
pub fn judge_edit(rules: &SendRules, content: &mut Content) -> Result<bool, Refusal> {
    if content.custom_elements > 1 {
        return Err(Refusal::SeveralCustomElements);
    }
    filtered(rules, content)
}

/// Holds the pairs that a device wants on a message to the word lists. A pair cannot be marked, and a key not be masked:
/// it would be another pair.
pub fn judge_pairs(rules: &SendRules, wanted: &mut Extend) -> Result<(), Refusal> {
    let Extend::Set(pairs) = wanted else { return Ok(()) };
    let keys: Vec<String> = pairs.iter().map(|(pair, _)| pair.key.clone()).collect();
    match filter::judge(&rules.word_lists, &keys) {
        Judgement::Clean | Judgement::Marked => {}
        Judgement::Masked { .. } | Judgement::Blocked => return Err(Refusal::Filtered),
    }
    let values: Vec<String> = pairs.iter().map(|(_, value)| value.clone()).collect();
    match filter::judge(&rules.word_lists, &values) {
        Judgement::Clean | Judgement::Marked => {}
        Judgement::Blocked => return Err(Refusal::Filtered),
        Judgement::Masked { texts, .. } => {
            for ((_, value), masked) in pairs.iter_mut().zip(texts) {
                *value = masked;
            }
        }
    }
    Ok(())
}

/// Does it to a copy: what the device would be answered.
fn pretend(wanted: &Alter, mut found: Found) -> Altered {
    // Neither an edit nor pairs have to do with what is counted in a conversation.
    let done = alter::alter(wanted, &mut found, &mut Conversation::default(), 0);
    match done {
        Ok(effects) if effects.is_none() => Altered::Unchanged,
        Ok(effects) => Altered::Done {
            message: Arc::new(found.message),
            items: changed_items(&effects),
            told: Told::default(),
        },
        Err(refusal) => Altered::Refused(refusal),
    }
}

impl Chat {
    /// Edits a message or changes its pairs for a device; `found` is the message as it was found. Where nothing is to
    /// be said of a block, or the backend drops the edit, the answer is what it would be, and nothing is done.
    pub async fn alter_from_device(
        &self,
        rules: &SendRules,
        terms: Terms,
        mut wanted: Alter,
        found: Found,
    ) -> Result<Altered, SendError> {
        let peer = if wanted.by == wanted.from { wanted.to } else { wanted.from };
        let mut is_pretence = match self.admitted(terms, &wanted, peer).await? {
            Admitted::Yes | Admitted::Unseen => false,
            // The backend is asked all the same, as about a send: what it refuses must not tell of a block.
            Admitted::Pretend(_) => true,
            Admitted::No(refusal) => return Err(SendError::Refused(refusal)),
        };
        let is_asked_about = rules.ask_gate && matches!(wanted.act, Act::Edit { .. });
        // Nobody is asked about what cannot be done anyway.
        if is_asked_about && matches!(pretend(&wanted, found.clone()), Altered::Done { .. }) {
            is_pretence |= !self.passes_gate(rules, &mut wanted, &found).await?;
        }
        match is_pretence {
            true => Ok(pretend(&wanted, found)),
            false => Ok(self.alter(wanted).await?),
        }
    }

    /// Asks the app's backend about an edit, and does to it what the backend says. Whether it is carried out.
    async fn passes_gate(
        &self,
        rules: &SendRules,
        wanted: &mut Alter,
        found: &Found,
    ) -> Result<bool, SendError> {
        let message = &found.message;
        let Act::Edit { body, custom_data, marked, .. } = &mut wanted.act else { return Ok(true) };
        let MessageKey { wire_seq, random, time_s } = message.key();
        let asked = Content {
            body: body.as_ref().unwrap_or(&message.body).clone(),
            custom_data: custom_data.as_ref().unwrap_or(&message.custom_data).clone(),
            ..Content::default()
        };
        let question = Question {
            app: wanted.app,
            from: message.from,
            to: message.to,
            wire_seq,
            random,
            time_s,
            client_time_s: message.client_time_s,
            online_only: false,
            operator: Some(wanted.by),
            marked: message.delivery.marked || *marked,
            content: &asked,
            origin: wanted.origin,
        };
        let mut content = match verdict(rules, self.gate.ask(question).await)? {
            Verdict::Pass => return Ok(true),
            Verdict::Drop => return Ok(false),
            Verdict::Replace(content) => content,
        };
        fits(rules, &content).map_err(SendError::Refused)?;
        *marked |= filtered(rules, &mut content).map_err(SendError::Refused)?;
        // What neither the device nor the backend has touched stays as it is.
        if body.is_some() || content.body != asked.body {
            *body = Some(content.body);
        }
        if custom_data.is_some() || content.custom_data != asked.custom_data {
            *custom_data = Some(content.custom_data);
        }
        Ok(true)
    }

    /// Whether something may go from the one who alters to the other person.
    async fn admitted(&self, terms: Terms, wanted: &Alter, peer: UserId) -> Result<Admitted, StoreError> {
        let Alter { app, by, now_ms, .. } = *wanted;
        let people = self.store.people(app, vec![by, peer]).await?;
        let mut people = people.into_iter();
        let (Some(Some(sender)), Some(recipient)) = (people.next(), people.next()) else {
            return Ok(Admitted::No(Refusal::UnknownAccount));
        };
        // Nobody is there any more to be spared.
        let Some(recipient) = recipient else { return Ok(Admitted::Yes) };
        let ties = self.store.ties(app, vec![[by, peer], [peer, by]]).await?;
        let [sender_tie, recipient_tie] = &ties[..] else { panic!("two ties were asked for") };
        let kept = self.store.contacts_with(app, peer, vec![by]).await?;
        let discards = kept.is_some_and(|page| page.contacts.iter().any(|by| by.notify == Notify::Discard));
        let standing = Standing {
            sender: &sender.person,
            recipient: &recipient.person,
            sender_tie,
            recipient_tie,
            discards: discards && by != peer,
        };
        Ok(admit(terms, &standing, now_ms / 1000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_can_be_recalled_for_so_long() {
        let table = [
            (1_000, 1_120_999, 120, true),
            (1_000, 1_121_000, 120, false),
            // A conversation's time may be ahead of the clock.
            (2_000, 1_000_000, 120, true),
            (1_000, 1_000_999, 0, true),
            (1_000, 1_001_000, 0, false),
            (1_000, u64::MAX, u64::MAX, true),
        ];
        for (time_s, now_ms, recall_secs, expected) in table {
            assert_eq!(may_recall(time_s, now_ms, recall_secs), expected, "{time_s} {now_ms} {recall_secs}");
        }
    }
}
