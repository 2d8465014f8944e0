//! Rows that several operations may change, and that are read as they are written.

use super::Ledger;
use crate::cache::{Cache, GroupNumber};
use crate::engine::{Engine, Table};
use chat::port::Stored;

/// Ties are asked for by every send of a device.
const SMALL_CACHED_MAX: usize = 4096;

/// The others are rarely changed twice, and can be hundreds of KiB.
const LARGE_CACHED_MAX: usize = 64;

/// What is known of such rows, whether they exist or not.
pub(super) struct Rows {
    small: RowCache,
    large: RowCache,
}

type RowCache = Cache<(Table, Vec<u8>), Option<Vec<u8>>>;

impl Rows {
    pub(super) fn new() -> Self {
        Self { small: Cache::new(SMALL_CACHED_MAX), large: Cache::new(LARGE_CACHED_MAX) }
    }

    pub(super) fn clear(&mut self) {
        self.small.clear();
        self.large.clear();
    }

    pub(super) fn has(&self, table: Table, key: &[u8]) -> bool {
        let cache = if table == Table::Ties { &self.small } else { &self.large };
        cache.peek(&(table, key.to_vec())).is_some()
    }

    fn of(&mut self, table: Table) -> &mut RowCache {
        if table == Table::Ties { &mut self.small } else { &mut self.large }
    }

    fn known(&mut self, table: Table, key: &[u8], group: GroupNumber) -> Option<&mut Option<Vec<u8>>> {
        self.of(table).touch(&(table, key.to_vec()), group)
    }

    fn known_or_read(
        &mut self,
        engine: &Engine,
        table: Table,
        key: &[u8],
        [group, committed]: [GroupNumber; 2],
    ) -> Stored<&mut Option<Vec<u8>>> {
        let load = || Ok(engine.snapshot().get(table, key)?.map(|value| value.to_vec()));
        self.of(table).touch_or_load(&(table, key.to_vec()), group, committed, load)
    }
}

impl Ledger {
    /// The value of a row, as every earlier operation has left it.
    pub(super) fn row(&mut self, table: Table, key: impl AsRef<[u8]>) -> Stored<Option<&[u8]>> {
        let groups = [self.number, self.committed];
        let value = self.rows.known_or_read(&self.engine, table, key.as_ref(), groups)?;
        Ok(value.as_deref())
    }

    /// Writes or removes a row that was read before.
    pub(super) fn set_row(&mut self, table: Table, key: impl AsRef<[u8]>, value: Option<Vec<u8>>) {
        let key = key.as_ref();
        let known = self.rows.known(table, key, self.number).expect("only a row that was read is changed");
        known.clone_from(&value);
        self.group.set(table, key, value);
    }

    /// Removes a row whose place can be taken by a new one, which does not come through here. It has to be committed
    /// before any other operation.
    pub(super) fn remove_row(&mut self, table: Table, key: &[u8]) {
        self.rows.of(table).forget(&(table, key.to_vec()));
        self.group.remove(&self.engine, table, key);
    }
}
