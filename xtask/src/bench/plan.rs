//! What the benchmark tells its children, and what they answer.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{conduct::Conduct, people::People};

/// What a generator is to do. It connects, says [`Said::Ready`], and waits for [`Go`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    pub target: SocketAddr,
    pub work: Work,
    /// Connections of the REST API, or pairs of sessions.
    pub lines: u32,
    pub people: People,
    pub first_random: u32,
    /// Where to write what was sent; without it nothing is noted.
    pub ledger: Option<PathBuf>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Work {
    /// `sendmsg`, with or without its after-send event.
    Send { path: String, event: bool },
    /// The newest twenty messages of some conversation.
    History { path: String },
    /// Sessions, each even one writing to the next odd one.
    Sessions { sdkappid: u32, key: String },
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum Go {
    /// Every line sends as soon as its last message is done.
    Closed { end_ns: u64 },
    /// The same, for a number of messages.
    Count { messages: u32 },
    /// Messages are due at instants fixed beforehand, however the server fares.
    Open { start_ns: u64, end_ns: u64, rate_per_s: u32 },
}

/// What a generator says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Said {
    Ready,
    Progress { done: u32 },
    Done { sent: u32 },
    Failed { why: String },
}

/// What a receiver is told; it answers each with [`Received`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    /// From now on. A receiver that has begun to listen cannot become absent again.
    Behave {
        conduct: Conduct,
    },
    Count,
    /// Write all receipts to a file and forget them.
    Take {
        path: PathBuf,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Received {
    pub port: u16,
    /// Of every kind, however they ended.
    pub calls: u64,
    /// Questions asked.
    pub before: u64,
    /// Events accepted; where single calls are noted, each counts once.
    pub after: u64,
    pub fault: Option<String>,
}

/// What the ceiling is told and answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ceiling {
    pub callback: SocketAddr,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Listening {
    pub listen: SocketAddr,
}
