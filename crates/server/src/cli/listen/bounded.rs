//! Counting without end in memory that has one. What no longer fits is said, not hidden.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher, Hash};

/// A number, or the least that it can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct AtLeast {
    pub count: u64,
    /// There may be more.
    pub is_open: bool,
}

impl fmt::Display for AtLeast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_open { write!(f, "at least {}", self.count) } else { write!(f, "{}", self.count) }
    }
}

/// How many different ones there were. Only hashes are kept: at a million of them, the chance that two are one is
/// one in forty million.
#[derive(Debug)]
pub(super) struct Distinct {
    hasher: RandomState,
    seen: HashSet<u64>,
    len_max: usize,
    is_full: bool,
}

impl Distinct {
    pub(super) fn new(len_max: usize) -> Self {
        Self { hasher: RandomState::new(), seen: HashSet::new(), len_max, is_full: false }
    }

    pub(super) fn see(&mut self, one: impl Hash) {
        let hash = self.hasher.hash_one(one);
        if self.seen.len() < self.len_max {
            self.seen.insert(hash);
        } else if !self.seen.contains(&hash) {
            self.is_full = true;
        }
    }

    pub(super) fn count(&self) -> AtLeast {
        AtLeast { count: self.seen.len() as u64, is_open: self.is_full }
    }
}

/// Tells repetitions of what came lately. When it is full, the oldest half is forgotten.
#[derive(Debug)]
pub(super) struct Lately {
    hasher: RandomState,
    halves: [HashSet<u64>; 2],
    half_len_max: usize,
    has_forgotten: bool,
}

impl Lately {
    pub(super) fn new(len_max: usize) -> Self {
        let half_len_max = (len_max / 2).max(1);
        Self { hasher: RandomState::new(), halves: Default::default(), half_len_max, has_forgotten: false }
    }

    pub(super) fn is_new(&mut self, one: impl Hash) -> bool {
        let hash = self.hasher.hash_one(one);
        if self.halves.iter().any(|half| half.contains(&hash)) {
            return false;
        }
        if self.halves[0].len() >= self.half_len_max {
            self.halves.swap(0, 1);
            self.has_forgotten |= !self.halves[0].is_empty();
            self.halves[0].clear();
        }
        self.halves[0].insert(hash)
    }

    /// From now on, a repetition may pass for something new.
    pub(super) fn has_forgotten(&self) -> bool {
        self.has_forgotten
    }
}

/// How often each one came. Those that no longer fit are counted together.
#[derive(Debug)]
pub(super) struct Tally<K> {
    counts: HashMap<K, u64>,
    len_max: usize,
    others: u64,
}

impl<K: Hash + Ord + Clone> Tally<K> {
    pub(super) fn new(len_max: usize) -> Self {
        Self { counts: HashMap::new(), len_max, others: 0 }
    }

    pub(super) fn count(&mut self, key: K) {
        if let Some(count) = self.counts.get_mut(&key) {
            *count += 1;
        } else if self.counts.len() < self.len_max {
            self.counts.insert(key, 1);
        } else {
            self.others += 1;
        }
    }

    /// The most frequent ones, and among equals in order.
    pub(super) fn top(&self, len: usize) -> Vec<(K, u64)> {
        let mut all: Vec<(&K, u64)> = self.counts.iter().map(|(key, count)| (key, *count)).collect();
        let by_rank = |left: &(&K, u64), right: &(&K, u64)| (right.1, left.0).cmp(&(left.1, right.0));
        if all.len() > len && len > 0 {
            all.select_nth_unstable_by(len - 1, by_rank);
        }
        all.truncate(len);
        all.sort_unstable_by(by_rank);
        all.into_iter().map(|(key, count)| (key.clone(), count)).collect()
    }

    /// How often those came that did not fit.
    pub(super) fn others(&self) -> u64 {
        self.others
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_count_says_at_least() {
        let mut users = Distinct::new(2);
        for (user, expected) in [
            ("ana", "1"),
            ("ana", "1"),
            ("bo", "2"),
            ("ana", "2"),
            ("cy", "at least 2"),
            ("bo", "at least 2"),
        ] {
            users.see(user);
            assert_eq!(users.count().to_string(), expected, "{user}");
        }
    }

    #[test]
    fn repetitions_are_known_for_a_while() {
        let mut ids = Lately::new(4);
        for (id, is_new, has_forgotten) in [
            (1, true, false),
            (2, true, false),
            (1, false, false),
            (3, true, false),
            (4, true, false),
            (1, false, false),
            (5, true, true),
            (3, false, true),
            (1, true, true),
        ] {
            assert_eq!((ids.is_new(id), ids.has_forgotten()), (is_new, has_forgotten), "{id}");
        }
    }

    #[test]
    fn the_most_frequent_come_first() {
        let mut senders = Tally::new(3);
        for sender in ["cy", "bo", "ana", "bo", "dee", "ana", "dee"] {
            senders.count(sender);
        }
        assert_eq!(senders.top(2), [("ana", 2), ("bo", 2)]);
        assert_eq!(senders.top(9), [("ana", 2), ("bo", 2), ("cy", 1)]);
        assert_eq!(senders.top(0), []);
        assert_eq!((senders.top(9).len(), senders.others()), (3, 2));
    }
}
