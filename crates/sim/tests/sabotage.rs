//! The checkers checked: a bug put in on purpose is noticed, and by the checker whose promise it breaks.

use sim::{Sabotage, run_sabotaged};

/// Enough for every bug to meet the fault that brings it to light.
const SEEDS: u64 = 150;

fn check(sabotage: Sabotage, checker: &str) {
    let failures = (0..SEEDS).filter_map(|seed| run_sabotaged(seed, sabotage).err());
    let mut noticed: Vec<&str> = Vec::new();
    for failure in failures {
        if failure.checker == checker {
            assert!(
                !failure.trace.is_empty() && !failure.text.is_empty(),
                "a failure shows how it came about"
            );
            return;
        }
        noticed.push(failure.checker);
    }
    panic!("{checker} did not notice {sabotage:?} in {SEEDS} seeds, only {noticed:?} did");
}

#[test]
fn an_event_outside_the_commit_of_its_message() {
    check(Sabotage::EventAfterCommit, "every_message_has_its_event");
}

#[test]
fn an_event_outside_the_commit_of_its_edit() {
    check(Sabotage::EditEventAfterCommit, "every_alteration_has_its_event");
}

#[test]
fn a_resend_taken_for_a_new_message() {
    check(Sabotage::NoDuplicateGuard, "nothing_is_stored_twice");
}

#[test]
fn an_import_that_is_made_again_taken_for_a_new_one() {
    check(Sabotage::NoImportGuard, "imports_are_stored_once");
}

#[test]
fn a_block_that_comes_between_the_look_and_the_commit() {
    check(Sabotage::TermsBeforeCommit, "sends_respect_both_people");
}

#[test]
fn a_part_that_is_read_taken_for_the_whole() {
    check(Sabotage::WholeMarks, "counts_are_exact");
}

#[test]
fn a_recall_that_forgets_the_unread_count() {
    check(Sabotage::RecallKeepsUnread, "devices_receive_the_whole_log");
}

#[test]
fn a_session_that_hears_nothing_of_its_end() {
    check(Sabotage::NoLookAtCredentials, "no_session_outlives_its_credential");
}

#[test]
fn a_device_put_one_entry_ahead() {
    check(Sabotage::DeviceAhead, "devices_receive_the_whole_log");
}

#[test]
fn a_cursor_kept_one_event_ahead() {
    check(Sabotage::CursorAhead, "every_event_is_told");
}

#[test]
fn a_claim_that_never_expires() {
    check(Sabotage::EndlessClaims, "claims_expire");
}

#[test]
fn a_checkpoint_of_a_former_holder_kept_after_its_successor_began() {
    check(Sabotage::FormerHolder, "former_holders_write_nothing");
}

#[test]
fn a_checkpoint_of_before_a_replay_kept_after_it() {
    check(Sabotage::FormerCheckpoint, "replayed_events_are_told_again");
}

#[test]
fn a_device_that_takes_a_change_twice() {
    check(Sabotage::ChangeTakenTwice, "every_device_converges");
}

#[test]
fn a_device_that_leaves_a_change_out() {
    check(Sabotage::ChangeLeftOut, "every_device_converges");
}

#[test]
fn a_device_that_trusts_an_old_answer() {
    check(Sabotage::OldAnswersTrusted, "every_device_converges");
}
