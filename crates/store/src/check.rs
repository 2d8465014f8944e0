//! Looks at every row of a store, and says what cannot be.
//!
//! Whatever the rules promise of rows is asked here of all of them at one snapshot: that each can be read, that counts
//! are those of the messages, that numbers have no gap, that what one row names is there. Rows are met in the order of
//! their keys, and tables whose keys begin alike are walked side by side, so that nothing has to be remembered of a
//! store that is larger than the memory.
//!
//! It repairs nothing. `talk` is about conversations and messages, `people` about accounts, logs, ties and tokens,
//! `told` about events and how far they were told.

mod talk;
mod people;
mod told;

use crate::copy;
use crate::embedded::Embedded;
use crate::engine::{Row, Snapshot, Table};
use crate::notation::Broken;
use chat::port::{StoreError, Stored};
use std::ops::ControlFlow;

/// Rows between two words of how far it is.
const ROWS_BETWEEN_WORDS: u64 = 4_096;

/// Something that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub table: &'static str,
    /// Its key, as errors of the store show it.
    pub row: String,
    pub what: String,
}

/// What a check says while it is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// So many rows were looked at.
    Rows(u64),
    Found(Finding),
}

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Examined {
    pub rows: u64,
    pub findings: u64,
}

impl Embedded {
    /// Looks at every row as it is now. Blocks for as long as it takes, or until `tell` has heard enough.
    pub fn check(&self, tell: &mut dyn FnMut(News) -> ControlFlow<()>) -> Stored<Examined> {
        check(&Snapshot::Directory(self.engine.snapshot()), tell)
    }
}

fn check(snapshot: &Snapshot<'_>, tell: &mut dyn FnMut(News) -> ControlFlow<()>) -> Stored<Examined> {
    let mut check = Check { snapshot, tell, heard: true, examined: Examined::default() };
    let filed = check.conversations()?;
    check.people(filed)?;
    check.logs()?;
    check.token_owners()?;
    check.events()?;
    check.routes()?;
    check.leases()?;
    check.said(News::Rows(check.examined.rows))?;
    Ok(check.examined)
}

struct Check<'a> {
    snapshot: &'a Snapshot<'a>,
    tell: &'a mut dyn FnMut(News) -> ControlFlow<()>,
    /// Whether anybody still listens.
    heard: bool,
    examined: Examined,
}

/// The rows of a table, on the way through them.
struct Rows<'a> {
    table: Table,
    scan: Box<dyn Iterator<Item = Stored<Row>> + 'a>,
    next: Option<Row>,
}

impl<'a> Check<'a> {
    fn found(&mut self, table: Table, key: &[u8], what: impl Into<String>) {
        self.examined.findings += 1;
        let (table, row, what) = (table.name(), key.escape_ascii().to_string(), what.into());
        self.heard &= (self.tell)(News::Found(Finding { table, row, what })).is_continue();
    }

    fn said(&mut self, news: News) -> Stored<()> {
        self.heard &= (self.tell)(news).is_continue();
        if self.heard { Ok(()) } else { Err(StoreError::Unavailable("the check was broken off".to_owned())) }
    }

    /// What was taken out of a row, if it could be; otherwise that is a finding.
    fn taken<T>(&mut self, table: Table, key: &[u8], taken: Result<T, Broken>) -> Option<T> {
        taken.map_err(|what| self.found(table, key, what)).ok()
    }

    /// Says so unless it holds.
    fn holds(&mut self, holds: bool, table: Table, key: &[u8], what: impl FnOnce() -> String) {
        if !holds {
            self.found(table, key, what());
        }
    }

    fn rows(&mut self, table: Table) -> Stored<Rows<'a>> {
        let mut rows = Rows { table, scan: Box::new(copy::rows(self.snapshot, table)), next: None };
        self.advance(&mut rows)?;
        Ok(rows)
    }

    /// The next row of a table. Behind one that the engine cannot read, there is none.
    fn advance(&mut self, rows: &mut Rows<'a>) -> Stored<Option<Row>> {
        let following = match rows.scan.next() {
            None => None,
            Some(Ok(row)) => {
                self.examined.rows += 1;
                if self.examined.rows.is_multiple_of(ROWS_BETWEEN_WORDS) {
                    self.said(News::Rows(self.examined.rows))?;
                }
                Some(row)
            }
            Some(Err(StoreError::Corrupt { what, .. })) => {
                rows.scan = Box::new(std::iter::empty());
                let key = rows.next.as_ref().map_or(&b""[..], |(key, _)| key);
                let words = format!("nothing behind this row can be read: {what}");
                self.found(rows.table, key, words);
                None
            }
            Some(Err(error)) => return Err(error),
        };
        Ok(std::mem::replace(&mut rows.next, following))
    }

    /// The next row whose key starts with `prefix`. Those that come before belong to nothing.
    fn next_of(&mut self, rows: &mut Rows<'a>, prefix: &[u8], orphaned: &str) -> Stored<Option<Row>> {
        while let Some((key, _)) = &rows.next {
            if key.starts_with(prefix) {
                return self.advance(rows);
            }
            if key[..] > prefix[..] {
                break;
            }
            self.orphan(rows, orphaned)?;
        }
        Ok(None)
    }

    /// All rows that are left belong to nothing.
    fn rest(&mut self, rows: &mut Rows<'a>, orphaned: &str) -> Stored<()> {
        while rows.next.is_some() {
            self.orphan(rows, orphaned)?;
        }
        Ok(())
    }

    fn orphan(&mut self, rows: &mut Rows<'a>, words: &str) -> Stored<()> {
        if let Some((key, _)) = self.advance(rows)? {
            self.found(rows.table, &key, words);
        }
        Ok(())
    }
}
