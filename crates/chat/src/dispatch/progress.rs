//! How far an endpoint has been told, as it is kept and as it is shown.

use crate::event::Event;
use crate::id::ConversationId;
use crate::lease::Fence;

/// An event that the cursor has passed although it is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    pub offset: u64,
    pub conversation: ConversationId,
    /// When the event was recorded.
    pub recorded_ms: u64,
    pub state: ExceptionState,
    pub attempts: u32,
    /// When the first attempt was made; 0 before it.
    pub first_attempt_ms: u64,
    /// What the last attempt came to, in words; empty before it.
    pub last_failure: String,
}

impl Exception {
    /// An event that was told already, to be told once more.
    pub fn again(event: &Event, now_ms: u64) -> Self {
        Self {
            offset: event.id.offset,
            conversation: event.conversation,
            recorded_ms: event.recorded_ms,
            state: ExceptionState::Held { due_ms: now_ms },
            attempts: 0,
            first_attempt_ms: 0,
            last_failure: String::new(),
        }
    }

    pub fn is_parked(&self) -> bool {
        matches!(self.state, ExceptionState::Parked { .. })
    }

    /// Gives it a fresh start.
    pub fn hold(&mut self, now_ms: u64) {
        self.state = ExceptionState::Held { due_ms: now_ms };
        (self.attempts, self.first_attempt_ms) = (0, 0);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExceptionState {
    /// Due at a time, or as soon as it is first of its conversation.
    Held { due_ms: u64 },
    /// Given up; stands until somebody replays it.
    Parked { at_ms: u64 },
}

/// Whose word on a route counts. Everything that is written down about it builds on what was there, so it is refused
/// when something else was written that whoever writes has not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tenure {
    /// Of the lease that the teller had. A later one has told from here on.
    pub fence: Fence,
    /// Counts the replays.
    pub turn: u64,
}

/// What became of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Done,
    /// Events are to be told again: whoever tells has to begin anew from what is written down.
    Replayed,
    /// Somebody else has the lane by now.
    Lost,
}

impl Tenure {
    /// Whether the word of `other` counts on a route where this one wrote last.
    pub fn admits(&self, other: &Self) -> Kept {
        if other.fence < self.fence {
            Kept::Lost
        } else if other.turn != self.turn {
            Kept::Replayed
        } else {
            Kept::Done
        }
    }
}

/// How far an endpoint has been told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryState {
    pub tenure: Tenure,
    /// Something was written down before. One that was made to begin anew at the oldest event has begun, too.
    pub has_begun: bool,
    /// Everything up to here has been told, or is an exception.
    pub cursor: u64,
    /// Exceptions that still want attempts.
    pub held: Vec<Exception>,
    pub parked_count: u64,
}

/// Progress of an endpoint, to be kept in one commit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checkpoint {
    /// What it builds on.
    pub tenure: Tenure,
    pub cursor: u64,
    pub exceptions: Vec<Exception>,
    /// Offsets that are no longer exceptions.
    pub resolved: Vec<u64>,
    /// What was told since the last checkpoint, for whoever asks later.
    pub delivered: Vec<Delivered>,
    /// Attempts that failed since the last checkpoint, for the same.
    pub failures: Vec<FailedAttempt>,
}

impl Checkpoint {
    /// Says that a route is told under this fence from now on, and nothing else. What a former holder has not written
    /// by then, it cannot write any more.
    pub fn claim(state: &DeliveryState, fence: Fence) -> Self {
        Self { tenure: Tenure { fence, ..state.tenure }, ..Self::default() }
    }

    /// The same, by a clock that is ahead by so much.
    pub fn shifted(mut self, ahead_ms: i64) -> Self {
        let shift = |at_ms: &mut u64| *at_ms = at_ms.saturating_add_signed(ahead_ms);
        for exception in &mut self.exceptions {
            match &mut exception.state {
                ExceptionState::Held { due_ms } => shift(due_ms),
                ExceptionState::Parked { at_ms } => shift(at_ms),
            }
            // 0 is no time.
            if exception.first_attempt_ms != 0 {
                shift(&mut exception.first_attempt_ms);
            }
        }
        self.delivered.iter_mut().for_each(|told| shift(&mut told.at_ms));
        self.failures.iter_mut().for_each(|failed| shift(&mut failed.at_ms));
        self
    }
}

/// When and how an event was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    pub offset: u64,
    pub at_ms: u64,
    /// Which attempt it was, counted from 1.
    pub attempt: u32,
    pub receipt: Receipt,
}

/// What makes an event done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// The endpoint answered with this code. Other codes than 0 count as done unless the app wants otherwise.
    Answered { code: i64 },
    /// The endpoint does not want events of this kind.
    NotWanted,
}

/// One attempt that failed, as it is kept for inspection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    pub offset: u64,
    /// Counted from 1.
    pub number: u32,
    /// When it ended.
    pub at_ms: u64,
    pub failure: Failure,
}

/// What an attempt came to when it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub reason: FailureReason,
    /// Of the HTTP answer; 0 when there was none.
    pub status: u16,
    pub latency_ms: u64,
    /// What happened, in words.
    pub words: String,
    /// The beginning of the answer, at most [`ANSWER_HEAD_BYTES_MAX`].
    pub answer: String,
}

/// Enough of an answer to see what went wrong.
pub const ANSWER_HEAD_BYTES_MAX: usize = 1_024;

/// Why an attempt failed. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureReason {
    TimedOut = 1,
    /// The name of the endpoint has no address.
    Name = 2,
    /// All of its addresses are forbidden.
    Address = 3,
    /// No connection, or one that broke.
    Connection = 4,
    Tls = 5,
    /// An HTTP status other than 200.
    Status = 6,
    NotJson = 7,
    TooLong = 8,
    /// The endpoint said itself that it failed.
    Refused = 9,
    /// The attempt ended without a word; the process may have died.
    Lost = 10,
    /// The event could not be read from the log.
    Unreadable = 11,
}

impl FailureReason {
    pub const ALL: [Self; 11] = [
        Self::TimedOut,
        Self::Name,
        Self::Address,
        Self::Connection,
        Self::Tls,
        Self::Status,
        Self::NotJson,
        Self::TooLong,
        Self::Refused,
        Self::Lost,
        Self::Unreadable,
    ];

    /// One word for metrics and lists.
    pub fn name(self) -> &'static str {
        match self {
            Self::TimedOut => "timeout",
            Self::Name => "name",
            Self::Address => "address",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Status => "status",
            Self::NotJson => "not_json",
            Self::TooLong => "too_long",
            Self::Refused => "refused",
            Self::Lost => "lost",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Which events an endpoint is to be told again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// Everything behind an offset, in order, what is recorded meanwhile included.
    From { after: u64 },
    /// This event, before any later one of its conversation that was not told yet.
    One { offset: u64 },
    /// The oldest that stand parked, at most so many.
    Parked { limit: usize },
}

/// Where an event stands on its way to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Done or parked, and a checkpoint says so.
    Settled,
    /// Told since the last checkpoint.
    Told(Delivered),
    /// Given up since the last checkpoint that could say so.
    Parked {
        at_ms: u64,
        attempts: u32,
    },
    /// Further on in the log than was read so far.
    NotRead,
    /// About to be told, as soon as there is room.
    Ready,
    InFlight {
        attempt: u32,
    },
    /// Waits for its next attempt.
    RetryAt {
        due_ms: u64,
        attempts: u32,
    },
    /// Waits for an earlier event of its conversation.
    Behind {
        offset: u64,
    },
}

/// An endpoint's progress at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Last offset taken from the log.
    pub read_to: u64,
    /// Taken from the log, and not settled.
    pub unsettled: usize,
    pub in_flight: usize,
    /// Failed, or waiting behind one that did.
    pub held: usize,
    pub parked: u64,
    /// When the oldest of the unsettled was recorded.
    pub oldest_recorded_ms: Option<u64>,
    /// Only probed.
    pub is_open: bool,
}
