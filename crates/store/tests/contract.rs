//! What every store promises. One test for each promise, run against all of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract {
    pub(crate) mod accounts;
    pub(crate) mod appending;
    pub(crate) mod attempts;
    pub(crate) mod duplicates;
    pub(crate) mod events;
    pub(crate) mod reading;
    pub(crate) mod replaying;
}
mod world;

use chat::model::Model;
use store::{Embedded, EmbeddedOptions};

/// Runs each promise against each store, a new one every time.
macro_rules! promises {
    ($($file:ident: $($promise:ident)+;)+) => {
        mod model {
            use super::*;
            $(mod $file {
                use super::*;
                $(#[tokio::test]
                async fn $promise() {
                    contract::$file::$promise(&Model::default()).await;
                })+
            })+
        }

        mod embedded {
            use super::*;
            $(mod $file {
                use super::*;
                $(#[tokio::test]
                async fn $promise() {
                    let directory = tempfile::tempdir().unwrap();
                    let store = Embedded::open(directory.path(), EmbeddedOptions::default()).unwrap();
                    contract::$file::$promise(&store).await;
                })+
            })+
        }
    };
}

promises! {
    appending:
        a_message_is_one_fact
        places_follow_each_other_without_a_gap
        unread_totals_count_over_all_conversations
        an_online_only_message_is_stored_nowhere
        a_message_can_be_hidden_from_its_sender
        a_message_can_be_left_uncounted
        a_message_to_oneself_is_logged_once
        a_message_can_go_without_an_event
        nobody_sends_without_an_account
        time_does_not_go_back_with_the_clock;
    duplicates:
        a_resend_is_answered_like_the_first_and_changes_nothing
        a_send_is_remembered_for_120_seconds
        a_given_sequence_number_makes_another_send
        another_recipient_makes_another_send
        an_online_only_message_is_remembered_too
        a_preview_knows_what_a_send_would_meet;
    reading:
        marking_as_read_clears_exactly_one_conversation
        marking_as_read_needs_something_unread
        history_is_newest_first_in_pages
        history_keeps_to_its_window
        history_goes_on_behind_a_message
        history_pages_are_bounded_in_bytes
        changes_continue_from_any_position
        changes_of_a_strange_position_start_anew
        names_that_begin_alike_are_not_mixed_up;
    accounts:
        importing_again_changes_nothing
        a_deleted_account_takes_what_is_its_own_with_it
        an_account_made_anew_starts_an_epoch
        a_deleted_account_is_not_written_to;
    events:
        events_are_numbered_and_keep_what_was_said
        a_refusal_is_an_event_alone
        what_happens_to_a_person_is_an_event_of_its_own
        a_lane_says_where_it_begins_and_ends
        apps_have_lanes_of_their_own
        a_cursor_never_goes_back
        exceptions_are_kept_until_they_are_resolved
        parked_events_are_listed_in_pages
        only_what_everyone_was_told_is_forgotten
        a_large_log_is_forgotten_in_steps
        an_exception_is_forgotten_once_it_is_resolved;
    attempts:
        failed_attempts_are_kept_in_order
        failed_attempts_go_with_their_event
        the_last_delivery_of_an_event_is_found
        deliveries_of_one_time_are_kept_apart
        old_deliveries_are_forgotten_one_by_one
        what_was_told_long_ago_is_forgotten_even_when_it_comes_late;
    replaying:
        a_range_is_told_again_from_a_position
        one_event_is_told_again
        parked_events_are_held_again_oldest_first
        a_lane_without_events_has_nothing_to_replay
        what_is_replayed_is_forgotten_when_it_is_told;
}
