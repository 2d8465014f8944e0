//! What came of wishes, counted.

use crate::counts::Counts;
use crate::errand::{Outcome, Wish};
use crate::ledger::Tag;
use crate::world::World;
use chat::alter::{Act, Alter, Altered, NotAltered};
use chat::append::{ImportMessage, Imported};
use chat::contact::ViewAct;
use chat::event::{AfterSend, Relation, RelationChange};
use chat::person::{PersonChange, PersonChanged};
use chat::port::ViewChanged;
use chat::relate::{Approach, Related};
use chat::send::SendError;
use chat::{Fact, Refusal};
use std::collections::BTreeSet;

impl World {
    /// What can only be told in the end.
    pub(super) fn conclude(&self) {
        let state = &mut *self.stage.lock();
        let (counts, ledger) = (&mut state.counts, &state.ledger);
        counts.discarded += ledger.discarded;
        counts.conversations_ended += (ledger.talks.len() - ledger.current().count()) as u64;
        let stored: BTreeSet<Tag> =
            ledger.talks.iter().flat_map(|talk| talk.messages.iter().map(|kept| kept.tag)).collect();
        for fact in ledger.promised.values().flatten() {
            match fact {
                Fact::AfterSend(AfterSend { outcome: chat::Outcome::Refused(_), custom_data, .. }) => {
                    counts.pretended += u64::from(stored.contains(&Tag::of(custom_data)));
                }
                Fact::Relation(RelationChange { relation: Relation::Befriended(befriended), .. }) => {
                    counts.requests_accepted += u64::from(befriended.accepted);
                }
                _ => {}
            }
        }
    }
}

pub(super) fn tally(counts: &mut Counts, wish: &Wish, outcome: &Outcome) {
    let counter = match (outcome, wish) {
        (Outcome::Sent(outcome), _) => match sent(counts, outcome) {
            Some(counter) => counter,
            None => return,
        },
        (Outcome::Altered(Ok(altered)), Wish::Alter(alter)) => self::altered(counts, alter, altered),
        (Outcome::Imported(Ok(outcomes)), Wish::Import { imports, .. }) => {
            return imports
                .iter()
                .zip(outcomes)
                .for_each(|(import, outcome)| imported(counts, import, outcome));
        }
        (Outcome::Read(Ok(Some(_))), Wish::Read(mark)) => match mark.until_s {
            None => &mut counts.marks_read,
            Some(_) => &mut counts.marks_read_in_part,
        },
        (Outcome::ReadAll(Ok(_)), _) => &mut counts.everything_read,
        (Outcome::ViewChanged(Ok(ViewChanged::Done(_))), Wish::View(change)) => match change.act {
            ViewAct::Remove => &mut counts.conversations_removed,
            ViewAct::Erase => &mut counts.conversations_erased,
            ViewAct::Clear => &mut counts.conversations_cleared,
            ViewAct::Pin => &mut counts.pinned,
            ViewAct::Unpin => &mut counts.unpinned,
            ViewAct::Note(_) => &mut counts.conversations_noted,
        },
        (Outcome::ViewChanged(Ok(ViewChanged::TooManyPinned)), _) => &mut counts.too_many_pinned,
        (Outcome::PersonChanged(Ok(PersonChanged::Done(_))), Wish::Person(change)) => match change.change {
            PersonChange::Profile { .. } => &mut counts.profiles_written,
            PersonChange::Mute { .. } => &mut counts.muted,
            PersonChange::SetToken(_) | PersonChange::DropToken { .. } => &mut counts.tokens_changed,
            _ => &mut counts.revoked,
        },
        (Outcome::PersonChanged(Ok(PersonChanged::Refused(_))), _) => &mut counts.profiles_full,
        (Outcome::Related(Ok(Related::Pending(_))), _) => &mut counts.asked_to_be_friends,
        (Outcome::Related(Ok(Related::Refused(_))), _) => &mut counts.relations_refused,
        (Outcome::Related(Ok(Related::Done(_))), Wish::Relate(relate)) => match relate.act {
            Approach::Befriend { .. } => &mut counts.befriended,
            Approach::Import { .. } | Approach::Note { .. } => &mut counts.friends_noted,
            Approach::Unfriend { .. } => &mut counts.unfriended,
            Approach::Block => &mut counts.blocked,
            Approach::Unblock => &mut counts.unblocked,
            Approach::Accept { .. } => &mut counts.agreed,
            Approach::Refuse => &mut counts.requests_refused,
        },
        (Outcome::Left(Ok(existed)), _) => {
            counts.accounts_deleted += existed.iter().filter(|existed| **existed).count() as u64;
            return;
        }
        _ => &mut counts.people_unknown,
    };
    *counter += 1;
}

fn altered<'a>(counts: &'a mut Counts, alter: &Alter, altered: &Altered) -> &'a mut u64 {
    match (altered, &alter.act) {
        (Altered::Unchanged, _) => &mut counts.alterations_needless,
        (Altered::Refused(NotAltered::Conflict), _) => &mut counts.edits_in_conflict,
        (Altered::Refused(NotAltered::Recalled), _) => &mut counts.alterations_of_recalled,
        (Altered::Refused(NotAltered::NotFound), _) => &mut counts.alterations_of_nothing,
        (Altered::Refused(NotAltered::NotExtensible), _) => &mut counts.extensions_unwanted,
        (Altered::Refused(NotAltered::TooManyPairs), _) => &mut counts.extensions_too_many,
        (Altered::Done { .. }, Act::Recall) => &mut counts.recalled,
        (Altered::Done { .. }, Act::Edit { .. }) => &mut counts.edited,
        (Altered::Done { .. }, Act::Confirm) => &mut counts.confirmed,
        (Altered::Done { .. }, Act::Delete) => &mut counts.deleted_for_oneself,
        (Altered::Done { .. }, Act::Extend(_)) => &mut counts.extended,
    }
}

fn imported(counts: &mut Counts, import: &ImportMessage, outcome: &Imported) {
    let counter = match outcome {
        Imported::Done(_) if import.live => &mut counts.imports_live,
        Imported::Done(_) => &mut counts.imports_into_history,
        Imported::Duplicate => &mut counts.imports_doubled,
        Imported::UnknownAccount => &mut counts.people_unknown,
    };
    *counter += 1;
}

fn sent<'a>(counts: &'a mut Counts, outcome: &Result<chat::Sent, SendError>) -> Option<&'a mut u64> {
    Some(match outcome {
        Ok(_) => &mut counts.acks,
        Err(SendError::Refused(Refusal::Filtered)) => &mut counts.refused_filtered,
        Err(SendError::Refused(Refusal::TooLong)) => &mut counts.refused_too_long,
        Err(SendError::Refused(Refusal::UnknownAccount)) => &mut counts.refused_unknown_account,
        Err(SendError::Refused(Refusal::SenderMuted)) => &mut counts.refused_muted,
        Err(SendError::Refused(Refusal::Blocked)) => &mut counts.refused_blocked,
        Err(SendError::Refused(Refusal::NotFriends)) => &mut counts.refused_not_friends,
        Err(SendError::Refused(Refusal::NotInRecipientsFriends | Refusal::NotInSendersFriends)) => {
            &mut counts.refused_half_friends
        }
        // Counted by the gate.
        Err(_) => return None,
    })
}
