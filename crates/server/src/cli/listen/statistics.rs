//! What came in, counted.

use super::show::Seen;
use crate::receiver::Received;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};

/// Ids remembered to tell repetitions; beyond it, the oldest half is forgotten.
const IDS_MAX: usize = 1_000_000;

#[derive(Debug)]
pub(super) struct Statistics {
    since_ms: u64,
    callbacks: u64,
    repeated: u64,
    messages: u64,
    failures: u64,
    users: HashSet<String>,
    by_command: BTreeMap<String, u64>,
    ids: [HashSet<String>; 2],
}

impl Statistics {
    pub(super) fn new(now_ms: u64) -> Self {
        Self {
            since_ms: now_ms,
            callbacks: 0,
            repeated: 0,
            messages: 0,
            failures: 0,
            users: HashSet::new(),
            by_command: BTreeMap::new(),
            ids: Default::default(),
        }
    }

    pub(super) fn count(&mut self, seen: &Seen<'_>, received: &Received) {
        self.callbacks += 1;
        if let Some(id) = &received.event_id
            && !self.is_new(id)
        {
            self.repeated += 1;
            return;
        }
        *self.by_command.entry(seen.command.clone().into_owned()).or_default() += 1;
        for user in [&seen.from, &seen.to] {
            if !user.is_empty() && !self.users.contains(&**user) {
                self.users.insert(user.clone().into_owned());
            }
        }
        match seen.result {
            Some(_) if seen.failed() => self.failures += 1,
            Some(_) => self.messages += 1,
            None => {}
        }
    }

    fn is_new(&mut self, id: &str) -> bool {
        if self.ids.iter().any(|ids| ids.contains(id)) {
            return false;
        }
        if self.ids[0].len() >= IDS_MAX / 2 {
            self.ids.swap(0, 1);
            self.ids[0].clear();
        }
        self.ids[0].insert(id.to_owned())
    }

    pub(super) fn to_text(&self, now_ms: u64) -> String {
        let commands = self.by_command.iter().map(|(command, count)| format!("\n  {count:>9}  {command}"));
        format!(
            "\n{} callbacks ({} of them repeated) in {:.1} minutes{}\n{} messages delivered ({:.1} per minute), {} failed, \
             between {} users",
            self.callbacks,
            self.repeated,
            self.minutes(now_ms),
            commands.collect::<String>(),
            self.messages,
            self.messages as f64 / self.minutes(now_ms),
            self.failures,
            self.users.len(),
        )
    }

    pub(super) fn to_json(&self, now_ms: u64) -> Value {
        json!({ "statistics": {
            "callbacks": self.callbacks,
            "repeated": self.repeated,
            "messages": self.messages,
            "failures": self.failures,
            "users": self.users.len(),
            "messages_per_minute": self.messages as f64 / self.minutes(now_ms),
            "by_command": self.by_command,
        }})
    }

    /// Never so short that a rate over it would be nonsense.
    fn minutes(&self, now_ms: u64) -> f64 {
        (now_ms.saturating_sub(self.since_ms) as f64 / 60_000.0).max(1.0 / 60.0)
    }
}
