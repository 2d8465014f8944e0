//! What every store promises. One test for each promise, run against all of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract {
    pub(crate) mod accounts;
    pub(crate) mod admitting;
    pub(crate) mod altering;
    pub(crate) mod appending;
    pub(crate) mod attempts;
    pub(crate) mod duplicates;
    pub(crate) mod events;
    pub(crate) mod importing;
    pub(crate) mod landing;
    pub(crate) mod leasing;
    pub(crate) mod people;
    pub(crate) mod reading;
    pub(crate) mod relating;
    pub(crate) mod replaying;
    pub(crate) mod viewing;
}
mod world;

use chat::model::Model;
use store::{Embedded, EmbeddedOptions};
use world::database::Schema;

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

        mod postgres {
            use super::*;
            $(mod $file {
                use super::*;
                $(#[tokio::test]
                async fn $promise() {
                    let schema = Schema::new().await;
                    let store = schema.open().await;
                    contract::$file::$promise(&store).await;
                })+
            })+
        }
    };
}

promises! {
    appending:
        a_message_is_one_fact
        a_quiet_message_leaves_its_name_and_nothing_else
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
        history_runs_forwards_too
        messages_of_one_name_are_read_once
        history_pages_are_bounded_in_bytes
        history_passes_over_so_much_and_no_more
        changes_continue_from_any_position
        changes_of_a_strange_position_start_anew
        names_that_begin_alike_are_not_mixed_up;
    admitting:
        a_muted_sender_is_refused_until_the_mute_ends
        a_resend_is_answered_before_anybody_objects
        a_blocked_sender_is_told_or_shown_success
        only_friends_write_where_the_app_wants_that
        who_wants_no_messages_gets_none
        who_wants_nothing_of_somebody_gets_nothing;
    importing:
        an_imported_message_stands_at_its_time
        an_import_begins_a_conversation
        a_live_import_counts_and_is_logged
        a_live_import_does_not_count_behind_what_was_read
        a_message_is_imported_once
        what_is_imported_at_once_stands_in_its_order
        an_import_is_no_send
        an_import_needs_both_accounts
        what_is_imported_after_clearing_is_seen;
    altering:
        a_recalled_message_keeps_nothing_but_its_place
        what_was_read_is_recalled_without_a_count
        an_edit_changes_only_what_it_names
        a_message_is_confirmed_once_by_its_recipient
        a_message_is_deleted_for_oneself_only
        every_pair_has_a_version
        a_message_has_so_many_pairs
        only_what_was_said_is_altered
        the_newest_of_one_name_is_meant
        who_left_is_not_told_of_what_is_altered
        what_someone_has_erased_is_not_shown_to_them_again;
    landing:
        a_stored_send_is_found
        a_refused_send_is_found_in_the_event_log
        a_pretended_send_is_stored_and_refused
        a_refusal_is_forgotten_with_its_event;
    viewing:
        a_removed_conversation_keeps_its_history
        an_erased_conversation_shows_what_comes_later
        a_conversation_begins_when_it_is_pinned
        only_so_many_are_pinned
        contacts_are_listed_newest_first_in_pages
        a_message_can_leave_the_list_alone
        a_part_of_a_conversation_is_read
        a_cleared_conversation_stays_in_the_list
        what_is_noted_of_a_conversation_is_its_owners
        the_list_shows_the_newest_message_that_is_left
        an_entry_says_what_both_have_read
        entries_are_asked_for_by_name
        what_is_unread_is_found_wherever_it_is;
    people:
        a_profile_is_written_tag_by_tag
        the_rules_know_what_a_profile_says
        a_mute_leaves_the_other_one_alone
        a_revocation_outlasts_the_account
        a_deleted_person_leaves_nothing_to_the_next_of_that_name
        groups_are_kept_by_their_numbers
        whoever_has_no_account_cannot_be_changed
        push_reaches_a_person_for_a_time
        a_token_moves_with_its_device
        nobody_is_reached_who_is_logged_out_or_gone
        a_group_is_renamed_with_its_friends
        numbers_and_texts_are_kept_apart;
    relating:
        friends_are_on_one_list_or_on_both
        a_request_waits_for_its_answer
        a_request_is_refused_without_a_word_to_who_asked
        some_cannot_be_befriended
        a_friend_is_imported_without_an_event
        notes_of_a_friend_change_one_by_one
        blocking_ends_a_friendship
        a_friendship_ends_on_one_side_or_on_both
        lists_are_read_by_name_in_pages
        who_leaves_is_on_nobodys_list;
    accounts:
        importing_again_changes_nothing
        a_deleted_account_takes_what_is_its_own_with_it
        an_account_made_anew_starts_an_epoch
        a_login_makes_no_account_that_was_deleted
        a_deleted_account_is_not_written_to
        what_nobody_can_see_any_more_is_gone;
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
    leasing:
        a_slot_has_one_holder
        what_a_silent_node_held_is_free
        a_former_holder_writes_nothing
        what_was_read_before_a_replay_is_not_written;
}
