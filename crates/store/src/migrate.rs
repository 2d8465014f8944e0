//! From a directory into a database: all rows, and then the proof that they are the same.
//!
//! What is copied are rows, which both engines keep alike. The source is read twice at one snapshot: first for the
//! number and the checksum of each table's rows, by which a run that was cut off knows that it goes on with the same
//! source, and then for the rows. In the end every row is read back from the database and counted in the same way.

use crate::backup::{Totals, put_part};
use crate::codec;
use crate::copy;
use crate::embedded::Embedded;
use crate::engine::postgres::{Database, Load, Purpose};
use crate::engine::{Row, Snapshot, Table};
use crate::key::{self, Parts};
use crate::postgres::{PostgresError, PostgresOptions};
use chat::port::{StoreError, Stored};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

/// About what one transaction holds.
const BATCH_BYTES: usize = 8 << 20;
const BATCH_ROWS: usize = 65_536;
const ROWS_BETWEEN_WORDS: u64 = 16_384;
/// Making the index of a large table is one statement.
const STATEMENT_TIMEOUT_MS: u64 = 6 * 60 * 60 * 1000;

/// What a migration is at, and how many rows of it are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading the source, to know what it holds.
    Counting,
    Copying {
        of: u64,
    },
    Indexing,
    /// Reading back.
    Verifying {
        of: u64,
    },
}

/// What a migration came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The same on both sides.
    pub tables: Vec<Totals>,
    /// Rows that an earlier run had copied.
    pub rows_before: u64,
}

/// Why a migration did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Target(#[from] PostgresError),
    #[error(
        "table {table} has {here} rows here and {there} there, or other ones: what is there is not a copy"
    )]
    Different { table: String, here: u64, there: u64 },
    #[error("the migration was broken off")]
    BrokenOff,
}

/// Copies a store into a schema that has nothing else in it. `source` must not be changed meanwhile: who holds it open
/// sees to that.
pub async fn migrate(
    source: Arc<Embedded>,
    options: PostgresOptions,
    mut watch: impl FnMut(Stage, u64) + Send + 'static,
) -> Result<Migrated, MigrateError> {
    let counted = Arc::clone(&source);
    let (expected, mut watch) = blocking(move || {
        let snapshot = Snapshot::Directory(counted.engine.snapshot());
        Ok((count(&snapshot, &mut |rows| watch(Stage::Counting, rows))?, watch))
    })
    .await?;
    let settings = options.settings(STATEMENT_TIMEOUT_MS)?;
    let purpose = Purpose::Load { source: fingerprint(&expected) };
    let database = Database::open(settings, source.lanes(), purpose).await.map_err(PostgresError::new)?;
    blocking(move || {
        let snapshot = Snapshot::Directory(source.engine.snapshot());
        let load = Load::begin(database)?;
        let of = expected.iter().map(|table| table.rows).sum();
        let rows_before = fill(&snapshot, &load, &mut |rows| watch(Stage::Copying { of }, rows))?;
        for (nth, table) in Table::ALL.into_iter().enumerate() {
            watch(Stage::Indexing, nth as u64);
            load.index(table)?;
        }
        compare(&load, &expected, &mut |rows| watch(Stage::Verifying { of }, rows))?;
        load.end()?;
        Ok(Migrated { tables: expected, rows_before })
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MigrateError> + Send + 'static,
) -> Result<T, MigrateError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| MigrateError::BrokenOff)?
}

/// The rows of a table as they will stand in the database.
fn rows<'a>(
    snapshot: &'a Snapshot<'_>,
    table: Table,
    behind: &'a [u8],
) -> impl Iterator<Item = Stored<Row>> + 'a {
    copy::rows_behind(snapshot, table, behind).map(move |row| {
        let (key, value) = row?;
        if table != Table::Leases {
            return Ok((key, value));
        }
        // The one who held them is not among those who use the database. That numbers go on is what matters: whoever
        // holds them next has to come behind.
        let mut leases = codec::decode_leases(&value).map_err(|what| table.corrupt(&key, what))?;
        leases.nodes.clear();
        leases.held.clear();
        Ok((key, codec::encode_leases(&leases).into()))
    })
}

fn count(snapshot: &Snapshot<'_>, watch: &mut dyn FnMut(u64)) -> Stored<Vec<Totals>> {
    let mut all = 0;
    let mut tables = Vec::new();
    for table in Table::ALL {
        let mut tally = Tally::of(table);
        for row in rows(snapshot, table, &[]) {
            let (key, value) = row?;
            let Parts { app, owner, item } = key::parts(table, &key);
            tally.count(app.0, [owner, item, &value]);
            all += 1;
            if u64::is_multiple_of(all, ROWS_BETWEEN_WORDS) {
                watch(all);
            }
        }
        tables.push(tally.totals);
    }
    watch(all);
    Ok(tables)
}

/// Says how many rows were there already.
fn fill(snapshot: &Snapshot<'_>, load: &Load, watch: &mut dyn FnMut(u64)) -> Stored<u64> {
    let done = load.progress()?;
    let (mut all, mut before) = (0, 0);
    for table in Table::ALL {
        let mut behind = Vec::new();
        match &done {
            Some((at, _)) if table < *at => {
                before += copy::rows(snapshot, table).map(|row| row.map(|_| 1)).sum::<Stored<u64>>()?;
                continue;
            }
            Some((at, key)) if table == *at => {
                let is_done = |row: &Stored<Row>| row.as_ref().is_ok_and(|(found, _)| found[..] <= key[..]);
                before += copy::rows(snapshot, table).take_while(is_done).count() as u64;
                behind.clone_from(key);
            }
            _ => {}
        }
        all = all.max(before);
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for row in rows(snapshot, table, &behind) {
            let (key, value) = row?;
            bytes += key.len() + value.len();
            batch.push((key, value));
            if bytes >= BATCH_BYTES || batch.len() >= BATCH_ROWS {
                load.copy(table, &batch)?;
                all += batch.len() as u64;
                watch(all);
                batch.clear();
                bytes = 0;
            }
        }
        load.copy(table, &batch)?;
        all += batch.len() as u64;
        watch(all);
    }
    Ok(before)
}

fn compare(load: &Load, expected: &[Totals], watch: &mut dyn FnMut(u64)) -> Result<(), MigrateError> {
    let mut all = 0;
    for (table, here) in Table::ALL.into_iter().zip(expected) {
        let mut there = Tally::of(table);
        load.rows(table, &mut |app, parts| {
            there.count(app, parts);
            all += 1;
            if u64::is_multiple_of(all, ROWS_BETWEEN_WORDS) {
                watch(all);
            }
        })?;
        if there.totals != *here {
            let (table, here, there) = (here.table.clone(), here.rows, there.totals.rows);
            return Err(MigrateError::Different { table, here, there });
        }
    }
    watch(all);
    Ok(())
}

/// By which the same source is known again.
fn fingerprint(tables: &[Totals]) -> String {
    let words: Vec<String> = tables
        .iter()
        .map(|Totals { table, rows, bytes, checksum }| format!("{table} {rows} {bytes} {checksum:x}"))
        .collect();
    format!("{:032x}", xxh3_128(words.join("\n").as_bytes()))
}

/// Counts the rows of a table by their parts, which are what both sides know.
struct Tally {
    totals: Totals,
    row: Vec<u8>,
}

impl Tally {
    fn of(table: Table) -> Self {
        Self { totals: Totals::of(table.name()), row: Vec::new() }
    }

    fn count(&mut self, app: u32, parts: [&[u8]; 3]) {
        self.row.clear();
        self.row.extend_from_slice(&app.to_be_bytes());
        parts.iter().for_each(|part| put_part(&mut self.row, part));
        let bytes = parts.iter().map(|part| part.len()).sum();
        self.totals.count(bytes, &self.row);
    }
}
