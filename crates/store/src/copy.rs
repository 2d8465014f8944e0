//! All rows of a store, on their way into a backup or out of one.
//!
//! A copy is taken at one snapshot: it holds up nobody, and what is committed meanwhile is not in it.
//!
//! Going back to a copy is a jump into the past, and what comes after it is another future than the one that devices
//! and readers of events may have seen. So whatever is restored gets new epochs: nobody goes on from a position that
//! means something else now.

use crate::backup::{Item, Reader, Totals, Unreadable, Writer};
use crate::codec::{self, AccountRow, LaneRow};
use crate::embedded::{Embedded, EmbeddedOptions, OpenError};
use crate::engine::directory::{Batch, Directory};
use crate::engine::{Snapshot, Table};
use crate::key;
use crate::notation::Broken;
use chat::port::{StoreError, Stored};
use std::io::{self, Read, Write};
use std::path::Path;

/// Rows between two words of how far it is.
const ROWS_BETWEEN_WORDS: u64 = 4_096;
/// About what one commit of a restore holds.
const BATCH_BYTES_MAX: u64 = 8 << 20;

/// Why a copy was not made.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Why a backup was not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(
        "it has a table {0}, which this program does not know: use the release that wrote it, or a newer one"
    )]
    UnknownTable(String),
}

impl Embedded {
    /// Writes all rows as they are now. `watch` hears now and then how many there were so far. Blocks for as long as it
    /// takes.
    pub fn copy<W: Write>(&self, into: &mut Writer<W>, watch: &mut dyn FnMut(u64)) -> Result<(), CopyError> {
        write(&Snapshot::Directory(self.engine.snapshot()), into, watch)
    }

    /// About how many rows there are.
    pub fn rows_expected(&self) -> u64 {
        self.engine.rows_expected()
    }
}

fn write<W: Write>(
    snapshot: &Snapshot<'_>,
    into: &mut Writer<W>,
    watch: &mut dyn FnMut(u64),
) -> Result<(), CopyError> {
    for table in Table::ALL {
        into.table(table.name())?;
        for row in rows(snapshot, table) {
            let (key, value) = row?;
            into.row(&key, &value)?;
            if into.rows().is_multiple_of(ROWS_BETWEEN_WORDS) {
                watch(into.rows());
            }
        }
    }
    watch(into.rows());
    Ok(())
}

/// All rows of a table, without those that are the engine's own.
pub(crate) fn rows<'a>(
    snapshot: &'a Snapshot<'_>,
    table: Table,
) -> impl Iterator<Item = Stored<crate::engine::Row>> + 'a {
    rows_behind(snapshot, table, &[])
}

/// The same, behind a key.
pub(crate) fn rows_behind<'a>(
    snapshot: &'a Snapshot<'_>,
    table: Table,
    behind: &'a [u8],
) -> impl Iterator<Item = Stored<crate::engine::Row>> + 'a {
    let is_meant = |key: &[u8]| key.len() >= key::named::BYTES_MIN && *key > *behind;
    let rows = snapshot.scan_from(table, [], behind);
    rows.filter(move |row| row.as_ref().map_or(true, |(key, _)| is_meant(key)))
}

/// Makes a store of a backup, in a directory where there is none. On an error, what is there is worth nothing.
///
/// `restored_ms`: the time, which becomes the epoch of everything that has one.
pub fn restore<R: Read>(
    from: &mut Reader<R>,
    path: &Path,
    options: EmbeddedOptions,
    restored_ms: u64,
    watch: &mut dyn FnMut(u64),
) -> Result<Vec<Totals>, RestoreError> {
    let directory = Directory::open(path, &options)?;
    let mut load = Load { directory: &directory, batch: directory.batch(0), unswept: 0 };
    let mut table = None;
    loop {
        match from.item()? {
            Item::Table(name) => {
                table = Some(Table::named(name).ok_or_else(|| RestoreError::UnknownTable(name.to_owned()))?);
            }
            Item::Row { key, value } => {
                let table = table.expect("a row comes behind the name of its table");
                load.put_in_new_epoch(table, key, value, restored_ms)?;
                if from.rows().is_multiple_of(ROWS_BETWEEN_WORDS) {
                    watch(from.rows());
                }
            }
            Item::End => break,
        }
    }
    load.commit()?;
    directory.flush()?;
    Ok(from.totals().to_vec())
}

/// Rows on their way into a directory.
struct Load<'a> {
    directory: &'a Directory,
    batch: Batch,
    /// Bytes in the journal since it was last cut.
    unswept: u64,
}

impl Load<'_> {
    fn put_in_new_epoch(&mut self, table: Table, key: &[u8], value: &[u8], now_ms: u64) -> Stored<()> {
        let later = |epoch: u64| now_ms.max(epoch + 1);
        let corrupt = |what: Broken| table.corrupt(key, what);
        match table {
            Table::Accounts => {
                let AccountRow { exists, epoch, person } = codec::decode_account(value).map_err(corrupt)?;
                let person = (person != chat::person::Person::default()).then_some(&person);
                self.put(table, key, &codec::encode_account(exists, later(epoch), person))
            }
            Table::Logs => self.put(table, &key::named::with_epoch(key, later).map_err(corrupt)?, value),
            Table::Lanes => {
                let row = codec::decode_lane(value).map_err(corrupt)?;
                self.put(table, key, &codec::encode_lane(LaneRow { epoch: later(row.epoch), ..row }))
            }
            _ => self.put(table, key, value),
        }
    }

    fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Stored<()> {
        self.batch.put(self.directory, table, key, value);
        if self.batch.bytes() < BATCH_BYTES_MAX { Ok(()) } else { self.commit() }
    }

    fn commit(&mut self) -> Stored<()> {
        let batch = std::mem::replace(&mut self.batch, self.directory.batch(0));
        self.unswept += batch.bytes();
        self.directory.commit(batch)?;
        if self.directory.wants_sweep(self.unswept) {
            self.unswept = 0;
            self.directory.sweep()?;
        }
        Ok(())
    }
}
