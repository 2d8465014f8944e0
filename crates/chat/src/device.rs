//! What devices may do to messages, and backends need not ask about.
//!
//! A change of a message says something to the other person, so it has to get past what a send has to get past: a mute,
//! a blocklist, the word lists. Unlike for a send, that is looked at before the commit and not in it: who is blocked
//! while an edit is on its way may have been a moment late with the block.

use crate::admit::{Admitted, Standing, Terms, admit};
use crate::alter::{self, Alter, Altered, changed_items};
use crate::conversation::{Conversation, Notify};
use crate::effect::Told;
use crate::event::Refusal;
use crate::id::UserId;
use crate::message::Content;
use crate::port::{Found, StoreError};
use crate::send::{Chat, SendRules, filtered};
use std::sync::Arc;

/// Whether a message of this second can still be taken back by the device that sent it.
pub fn may_recall(time_s: u64, now_ms: u64, recall_secs: u64) -> bool {
    now_ms / 1000 <= time_s.saturating_add(recall_secs)
}

/// What became of what a device did to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceAltered {
    /// Also when only the device is shown that it was done, to whom nothing is to be said about a block.
    Answered(Altered),
    Refused(Refusal),
}

/// Holds what a device wants a message to say to the word lists. Says whether one of them marks it.
pub fn judge_edit(rules: &SendRules, content: &mut Content) -> Result<bool, Refusal> {
    if content.custom_elements > 1 {
        return Err(Refusal::SeveralCustomElements);
    }
    filtered(rules, content)
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
    /// Edits a message or changes its pairs for a device; `found` is the message as it was found.
    pub async fn alter_from_device(
        &self,
        terms: Terms,
        wanted: Alter,
        found: Found,
    ) -> Result<DeviceAltered, StoreError> {
        let peer = if wanted.by == wanted.from { wanted.to } else { wanted.from };
        match self.admitted(terms, &wanted, peer).await? {
            Admitted::Yes | Admitted::Unseen => self.alter(wanted).await.map(DeviceAltered::Answered),
            Admitted::Pretend(_) => Ok(DeviceAltered::Answered(pretend(&wanted, found))),
            Admitted::No(refusal) => Ok(DeviceAltered::Refused(refusal)),
        }
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
