//! What backends were asked of late, and what they answered.
//!
//! A message that its backend refused leaves no other trace. Kept in memory only, and only the latest: whoever looks
//! for a message that was never sent looks soon.

use chat::event::MessageName;
use chat::{AppId, UserId};
use protocol::callback::CallbackCommand;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Questions kept of each app, of those that let the message pass and of the others. Some 200 bytes each.
const KEPT_MAX: usize = 4_096;

/// One question, and what came of it.
#[derive(Debug, Clone)]
pub struct Asked {
    pub at_ms: u64,
    pub about: About,
    pub outcome: AskedOutcome,
    /// 0 when there was no call.
    pub latency_ms: u64,
    /// What went wrong, or what the backend said; often empty.
    pub words: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// As the backend was told. The number may have become another one's, if the message was not sent.
    Send(MessageName),
    /// A message that was sent, and that someone wanted to say something else.
    Edit { message: MessageName, operator: UserId },
    /// What `from` wanted to do about a friendship with `to`.
    Friend { question: CallbackCommand, from: UserId, to: UserId },
}

impl About {
    /// The message, if it is about one.
    pub fn message(&self) -> Option<&MessageName> {
        match self {
            Self::Send(message) | Self::Edit { message, .. } => Some(message),
            Self::Friend { .. } => None,
        }
    }

    /// Who wanted to edit, if it is about an edit.
    pub fn operator(&self) -> Option<&UserId> {
        match self {
            Self::Edit { operator, .. } => Some(operator),
            Self::Send(_) | Self::Friend { .. } => None,
        }
    }

    pub fn people(&self) -> [UserId; 2] {
        match self {
            Self::Send(message) | Self::Edit { message, .. } => [message.from, message.to],
            Self::Friend { from, to, .. } => [*from, *to],
        }
    }

    pub fn question(&self) -> CallbackCommand {
        match self {
            Self::Send(_) | Self::Edit { .. } => CallbackCommand::C2cBeforeSendMsg,
            Self::Friend { question, .. } => *question,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AskedOutcome {
    Passed,
    Replaced,
    Vetoed,
    Dropped,
    /// No usable answer; the app's policy decided.
    Failed,
    /// Not asked, because the backend is known not to answer; the app's policy decided.
    Skipped,
}

impl AskedOutcome {
    pub const ALL: [Self; 6] =
        [Self::Passed, Self::Replaced, Self::Vetoed, Self::Dropped, Self::Failed, Self::Skipped];

    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "pass",
            Self::Replaced => "replace",
            Self::Vetoed => "veto",
            Self::Dropped => "drop",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

#[derive(Debug, Default)]
pub struct AskedLog {
    of_app: Mutex<FxHashMap<AppId, Arc<Mutex<Latest>>>>,
}

#[derive(Debug, Default)]
struct Latest {
    passed: VecDeque<Asked>,
    /// Apart, so that what passes does not push out what did not.
    other: VecDeque<Asked>,
}

const UNPOISONED: &str = "nothing panics while it holds this lock";

impl AskedLog {
    pub fn note(&self, app: AppId, asked: Asked) {
        let latest = self.of_app(app);
        let mut latest = latest.lock().expect(UNPOISONED);
        let kept = match asked.outcome {
            AskedOutcome::Passed => &mut latest.passed,
            _ => &mut latest.other,
        };
        if kept.len() == KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(asked);
    }

    /// The latest first, at most `limit`.
    pub fn find(&self, app: AppId, limit: usize, fits: impl Fn(&Asked) -> bool) -> Vec<Asked> {
        let latest = self.of_app(app);
        let latest = latest.lock().expect(UNPOISONED);
        // Backwards, so that of two of the same millisecond the later one comes first.
        let newest_first = latest.passed.iter().rev().chain(latest.other.iter().rev());
        let mut found: Vec<Asked> = newest_first.filter(|asked| fits(asked)).cloned().collect();
        found.sort_by_key(|asked| std::cmp::Reverse(asked.at_ms));
        found.truncate(limit);
        found
    }

    fn of_app(&self, app: AppId) -> Arc<Mutex<Latest>> {
        Arc::clone(self.of_app.lock().expect(UNPOISONED).entry(app).or_default())
    }
}
