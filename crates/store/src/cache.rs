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

    /// The value of a key that `group` is about to use or change, if it is known.
    pub(super) fn touch(&mut self, key: &K, group: GroupNumber) -> Option<&mut V> {
        let slot = match self.young.entry(key.clone()) {
            Entry::Occupied(slot) => slot.into_mut(),
            Entry::Vacant(place) => place.insert(self.old.remove(key)?),
        };
        slot.touched = group;
        Some(&mut slot.value)
    }

    /// The same, loaded if it is not known. Everything up to `committed` is in the database.
    pub(super) fn touch_or_load<E>(
        &mut self,
        key: &K,
        group: GroupNumber,
        committed: GroupNumber,
        load: impl FnOnce() -> Result<V, E>,
    ) -> Result<&mut V, E> {
        if self.young.len() >= self.generation_len_max && !self.young.contains_key(key) {
            self.turn(committed);
        }
        let slot = match self.young.entry(key.clone()) {
            Entry::Occupied(slot) => slot.into_mut(),
            Entry::Vacant(place) => match self.old.remove(key) {
                Some(slot) => place.insert(slot),
                None => place.insert(Slot { value: load()?, touched: group }),
            },
        };
        slot.touched = group;
        Ok(&mut slot.value)
    }

    /// The value of a key, if it is known, for whoever only wants to know whether it is.
    pub(super) fn peek(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key)).map(|slot| &slot.value)
    }

    /// Forgets a key whose group is committed before anybody asks for it again.
    pub(super) fn forget(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }

    /// Begins a young generation, with what may not be forgotten.
    fn turn(&mut self, committed: GroupNumber) {
        let mut forgotten = std::mem::take(&mut self.old);
        forgotten.retain(|_, slot| slot.touched > committed);
        self.old = std::mem::replace(&mut self.young, forgotten);
    }

    pub(super) fn clear(&mut self) {
        self.young = FxHashMap::default();
        self.old = FxHashMap::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep<V>(cache: &mut Cache<u32, V>, key: u32, value: V, [group, committed]: [GroupNumber; 2]) {
        cache.touch_or_load(&key, group, committed, || Ok::<_, ()>(value)).unwrap();
    }

    #[test]
    fn what_is_used_stays_and_what_is_not_goes() {
        let mut cache = Cache::new(4);
        for key in 0..100 {
            keep(&mut cache, key, key, [1, 1]);
            assert_eq!(cache.touch(&0, 1), Some(&mut 0));
        }
        assert_eq!(cache.touch(&50, 1), None);
        assert!(cache.young.len() + cache.old.len() <= 6);
    }

    #[test]
    fn what_is_not_committed_is_never_forgotten() {
        let mut cache = Cache::new(2);
        keep(&mut cache, 0, "in flight", [8, 7]);
        for key in 1..100 {
            keep(&mut cache, key, "loaded", [7, 7]);
        }
        assert_eq!(cache.touch(&0, 8), Some(&mut "in flight"));
        for key in 1..100 {
            keep(&mut cache, key, "loaded", [8, 8]);
        }
        assert_eq!(cache.touch(&0, 9), None);
    }

    #[test]
    fn what_cannot_be_loaded_is_not_kept() {
        let mut cache = Cache::<u32, ()>::new(2);
        assert_eq!(cache.touch_or_load(&1, 1, 0, || Err("no")), Err("no"));
        assert_eq!(cache.touch(&1, 1), None);
    }
}
