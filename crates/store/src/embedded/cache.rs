//! A bounded map of what the writer knows, which is ahead of the database by the groups in flight.
//!
//! Two generations: what is used moves to the young one, and when that is full the old one is forgotten. What a
//! group in flight has touched is never forgotten, because the database does not have it yet.

use rustc_hash::FxHashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

/// Number of a group of operations that is committed at once.
pub(super) type GroupNumber = u64;

pub(super) struct Cache<K, V> {
    young: FxHashMap<K, Slot<V>>,
    old: FxHashMap<K, Slot<V>>,
    generation_len_max: usize,
}

struct Slot<V> {
    value: V,
    touched: GroupNumber,
}

impl<K: Hash + Eq + Clone, V> Cache<K, V> {
    pub(super) fn new(len_max: usize) -> Self {
        Self {
            young: FxHashMap::default(),
            old: FxHashMap::default(),
            generation_len_max: (len_max / 2).max(1),
        }
    }

    /// The value of a key, which `group` is about to use or change.
    pub(super) fn touch(&mut self, key: &K, group: GroupNumber) -> Option<&mut V> {
        let slot = match self.young.entry(key.clone()) {
            Entry::Occupied(slot) => slot.into_mut(),
            Entry::Vacant(place) => place.insert(self.old.remove(key)?),
        };
        slot.touched = group;
        Some(&mut slot.value)
    }

    /// Keeps a value that was loaded for `group`; everything up to `committed` is in the database.
    pub(super) fn keep(&mut self, key: K, value: V, group: GroupNumber, committed: GroupNumber) -> &mut V {
        if self.young.len() >= self.generation_len_max {
            let mut forgotten = std::mem::take(&mut self.old);
            forgotten.retain(|_, slot| slot.touched > committed);
            self.old = std::mem::replace(&mut self.young, forgotten);
        }
        let slot = Slot { value, touched: group };
        match self.young.entry(key) {
            Entry::Occupied(mut known) => {
                known.insert(slot);
                &mut known.into_mut().value
            }
            Entry::Vacant(place) => &mut place.insert(slot).value,
        }
    }

    pub(super) fn clear(&mut self) {
        self.young = FxHashMap::default();
        self.old = FxHashMap::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let mut cache = Cache::new(4);
        for key in 0..100 {
            cache.keep(key, key, 1, 1);
            assert_eq!(cache.touch(&0, 1), Some(&mut 0));
        }
        assert_eq!(cache.touch(&50, 1), None);
        assert!(cache.young.len() + cache.old.len() <= 6);
    }

    #[test]
    fn what_is_not_committed_is_never_forgotten() {
        let mut cache = Cache::new(2);
        cache.keep(0, "in flight", 8, 7);
        for key in 1..100 {
            cache.keep(key, "loaded", 7, 7);
        }
        assert_eq!(cache.touch(&0, 8), Some(&mut "in flight"));
        for key in 1..100 {
            cache.keep(key, "loaded", 8, 8);
        }
        assert_eq!(cache.touch(&0, 9), None);
    }
}
