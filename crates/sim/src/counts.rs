//! How often things happened. What never happened proves nothing.

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// How often things happened.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Counts {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counts {
            pub fn named(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)*]
            }

            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

counts! {
    sends,
    /// Requests for anything, repeated ones included.
    requests,
    acks,
    /// Errands that were done, and requested once more.
    repeated,
    /// Answers to repeated requests that it was so already.
    done_before,
    errands_given_up,
    self_sends,
    online_only,
    without_unread,
    without_event,
    hidden_from_sender,
    marked,
    masked,
    marks_read,
    marks_read_in_part,
    everything_read,
    recalled,
    edited,
    confirmed,
    deleted_for_oneself,
    extended,
    /// It was so already.
    alterations_needless,
    alterations_of_recalled,
    alterations_of_nothing,
    edits_in_conflict,
    extensions_unwanted,
    extensions_too_many,
    imports_live,
    imports_into_history,
    imports_doubled,
    conversations_removed,
    conversations_erased,
    conversations_cleared,
    conversations_noted,
    pinned,
    unpinned,
    too_many_pinned,
    profiles_written,
    profiles_full,
    muted,
    revoked,
    tokens_changed,
    befriended,
    asked_to_be_friends,
    requests_accepted,
    /// By an answer, and not by the same wish.
    agreed,
    requests_refused,
    friends_noted,
    unfriended,
    blocked,
    unblocked,
    relations_refused,
    /// Changes that somebody without an account was part of.
    people_unknown,
    refused_filtered,
    refused_too_long,
    refused_unknown_account,
    refused_muted,
    refused_blocked,
    refused_not_friends,
    refused_half_friends,
    /// Messages whose recipient does not get them, with or without a block.
    hidden_from_recipient,
    /// Sends that were blocked, and shown as done.
    pretended,
    /// The same for sends to somebody who has set that nothing of the sender is wanted.
    discarded,
    gate_passes,
    gate_vetoes,
    gate_drops,
    gate_replaces,
    gate_failures,
    gate_outages,
    /// Questions that were not asked, because the breaker was open or full.
    gate_skips,
    gate_probes,
    gate_breakers_opened,
    /// Questions nobody waited for any more.
    gate_abandoned,
    store_unavailable,
    store_outages,
    commits_unanswered,
    commits_slow,
    answers_lost,
    requests_refused_by_dead_node,
    requests_timed_out,
    hints,
    hints_lost,
    hints_late,
    hints_doubled,
    /// Hints that made a session read the log.
    hints_with_gap,
    entries_pushed,
    online_pushed,
    sessions_dropped,
    positions_old,
    positions_wrong,
    resyncs,
    sessions_gone,
    sessions_revoked,
    logins_refused,
    /// What devices read of the time before they came.
    pages_read,
    /// Answers that were old when they arrived, and were asked for once more.
    answers_overtaken,
    /// Devices whose copies of all conversations were compared with the store.
    mirrors_compared,
    /// Those of them that began at the end of the log, and read the rest.
    late_mirrors_compared,
    conversations_ended,
    accounts_deleted,
    accounts_returned,
    attempts,
    accepted,
    accepted_again,
    calls_failed,
    calls_refused,
    calls_lost,
    calls_unheard,
    calls_timed_out,
    calls_to_dead_endpoint,
    settlers_died,
    settles_stale,
    settles_of_former_terms,
    breakers_opened,
    parked,
    checkpoints,
    checkpoints_repeated,
    restored_with_exceptions,
    events_trimmed,
    replays_from,
    replays_of_one,
    replays_of_parked,
    /// Replays whose operator heard of a failure, although some were carried out.
    replays_failed,
    events_replayed,
    /// Replays on another node than the one that tells the lane.
    replays_elsewhere,
    /// Checkpoints that were refused because of one.
    checkpoints_overtaken,
    /// The same was noticed before there was a checkpoint.
    replays_noticed,
    lanes_moved,
    /// Checkpoints of a node that had been paused, before its successor has begun and afterwards.
    former_checkpoints_kept,
    former_checkpoints_refused,
    endpoints_joined,
    clock_jumps,
    crashes,
    /// Requests under way when the node died.
    requests_vanished,
}
