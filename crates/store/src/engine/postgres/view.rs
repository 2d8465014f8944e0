//! The rows of the database as one transaction sees them.

use super::super::{Row, Table, behind};
use super::database::{Connection, Database, Failure};
use super::statement::{Parameter, last_of, ranges_of, rows_of, whole};
use crate::key;
use chat::port::{StoreError, Stored};
use fjall::Slice;
use futures_util::future::{join, join_all};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio_postgres::types::Type;

/// Rows of the first page of a scan. Pages double, since most scans end soon.
const PAGE_LEN_MIN: usize = 32;
const PAGE_LEN_MAX: usize = 1_024;

/// Rows of a range that are looked up ahead. Who looks for more reads on from there.
pub(super) const AHEAD_LEN_MAX: usize = 16;

/// What the statements of a view have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bond {
    /// They belong to a transaction that somebody else begins and ends.
    Changes,
    /// They see the same moment.
    Moment,
    /// Nothing: there is one.
    Nothing,
}

pub(crate) struct View {
    database: Arc<Database>,
    bond: Bond,
    /// Used by one thread at a time.
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) connection: Option<Connection>,
    /// A transaction of the view's own is open.
    has_begun: bool,
    pub(super) known: Known,
}

/// What was looked up ahead.
#[derive(Default)]
pub(super) struct Known {
    rows: HashMap<(Table, Vec<u8>), Option<Slice>>,
    /// The last row of an owner, by a prefix that ends with it.
    lasts: HashMap<(Table, Vec<u8>), Option<Row>>,
    ranges: HashMap<(Table, [Vec<u8>; 2]), Vec<Row>>,
}

impl Known {
    pub(super) fn put_rows(&mut self, table: Table, keys: &[&[u8]], found: Vec<(Vec<u8>, Slice)>) {
        for key in keys {
            self.rows.insert((table, key.to_vec()), None);
        }
        for (key, value) in found {
            self.rows.insert((table, key), Some(value));
        }
    }

    pub(super) fn put_lasts(&mut self, table: Table, prefixes: &[&[u8]], found: Vec<(usize, Row)>) {
        for prefix in prefixes {
            self.lasts.insert((table, prefix.to_vec()), None);
        }
        for (nth, row) in found {
            self.lasts.insert((table, prefixes[nth].to_vec()), Some(row));
        }
    }

    pub(super) fn put_ranges(&mut self, table: Table, ranges: &[[Vec<u8>; 2]], found: Vec<(usize, Row)>) {
        for range in ranges {
            self.ranges.insert((table, range.clone()), Vec::new());
        }
        for (nth, row) in found {
            self.ranges.entry((table, ranges[nth].clone())).or_default().push(row);
        }
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.lasts.clear();
        self.ranges.clear();
    }
}

impl View {
    pub(crate) fn new(database: Arc<Database>, bond: Bond) -> Self {
        Self { database, bond, state: Mutex::default() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing under this lock panics")
    }

    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Stored<Option<Slice>> {
        if let Some(known) = self.state().known.rows.get(&(table, key.to_vec())) {
            return Ok(known.clone());
        }
        let schema = &self.database.schema;
        let found = self.ask(&async |connection| rows_of(connection, schema, table, &[key]).await)?;
        Ok(found.into_iter().next().map(|(_, value)| value))
    }

    /// Reads all of these rows at once, for those who ask for them one by one.
    pub(crate) fn expect<K: AsRef<[u8]>>(
        &self,
        table: Table,
        keys: impl IntoIterator<Item = K>,
    ) -> Stored<()> {
        let keys: Vec<K> = keys.into_iter().collect();
        let mut keys: Vec<&[u8]> = keys.iter().map(AsRef::as_ref).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.len() < 2 {
            return Ok(());
        }
        let schema = &self.database.schema;
        for keys in keys.chunks(PAGE_LEN_MAX) {
            let found = self.ask(&async |connection| rows_of(connection, schema, table, keys).await)?;
            self.state().known.put_rows(table, keys, found);
        }
        Ok(())
    }

    pub(crate) fn last(&self, table: Table, prefix: &[u8]) -> Stored<Option<Row>> {
        let item_len = key::parts(table, prefix).item.len();
        let owner = &prefix[..prefix.len() - item_len];
        match self.state().known.lasts.get(&(table, owner.to_vec())) {
            Some(Some(row)) if row.0.starts_with(prefix) => return Ok(Some(row.clone())),
            Some(Some(row)) if *row.0 > *prefix => {}
            // The last one stands before all that have this prefix, so there is none that has.
            Some(_) => return Ok(None),
            None => {}
        }
        let mut pages = self.pages(table, prefix, Way::Backwards);
        pages.page_len = 1;
        pages.from = behind(key::parts(table, prefix).item).map(Edge::Before);
        pages.end = Some(key::parts(table, prefix).item.to_vec());
        pages.next().transpose()
    }

    /// The rows from one key on that have a prefix, or that come before another key.
    pub(crate) fn scan(&self, table: Table, prefix: &[u8], from: &[u8], until: Option<&[u8]>) -> Pages<'_> {
        let mut pages = self.pages(table, prefix, Way::Forwards);
        pages.from = Some(Edge::At(key::parts(table, from).item.to_vec()));
        pages.end = match until {
            Some(until) => Some(key::parts(table, until).item.to_vec()),
            None => behind(key::parts(table, prefix).item),
        };
        if let Some(until) = until {
            let range = (table, [from.to_vec(), until.to_vec()]);
            if let Some(known) = self.state().known.ranges.get(&range) {
                pages.is_last = known.len() < AHEAD_LEN_MAX;
                pages.go_on_with(known.clone());
            }
        }
        pages
    }

    /// The rows that have a prefix, backwards from a key.
    pub(crate) fn scan_back(&self, table: Table, prefix: &[u8], from: &[u8]) -> Pages<'_> {
        let mut pages = self.pages(table, prefix, Way::Backwards);
        pages.from = Some(Edge::At(key::parts(table, from).item.to_vec()));
        pages.end = Some(key::parts(table, prefix).item.to_vec());
        pages
    }

    fn pages(&self, table: Table, beside: &[u8], way: Way) -> Pages<'_> {
        Pages {
            view: self,
            table,
            beside: beside.to_vec(),
            way,
            from: None,
            end: None,
            page_len: PAGE_LEN_MIN,
            rows: Vec::new().into_iter(),
            is_last: false,
        }
    }

    pub(crate) fn lanes_per_app(&self) -> u16 {
        self.database.lanes_per_app()
    }

    /// Asks the database, in the transaction of this view.
    fn ask<T>(&self, asks: &impl AsyncFn(&Connection) -> Result<T, Failure>) -> Stored<T> {
        let mut state = self.state();
        let is_first = !state.has_begun;
        let outcome = self.database.wait(self.try_to_ask(&mut state, asks));
        let outcome = match outcome {
            // A connection that was kept may have ended meanwhile. Nothing has been seen yet, so another will do.
            Err(failure) if is_first && self.bond != Bond::Changes && failure.is_passing() => {
                self.database.wait(self.try_to_ask(&mut state, asks))
            }
            outcome => outcome,
        };
        outcome.map_err(StoreError::from)
    }

    async fn try_to_ask<T>(
        &self,
        state: &mut State,
        asks: &impl AsyncFn(&Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let connection = match state.connection.take() {
            Some(connection) => connection,
            // It would see what is being changed beside the transaction that it was asked in.
            None if self.bond == Bond::Changes || state.has_begun => {
                return Err(Failure::refused("the transaction was lost".to_owned()));
            }
            None => self.database.connection().await?,
        };
        let begins = self.bond == Bond::Moment && !state.has_begun;
        let found = if begins {
            let both = async {
                let limit = self.database.settings.statement_timeout_ms;
                let begin = format!(
                    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {limit}; \
                     SET LOCAL idle_in_transaction_session_timeout = {limit}"
                );
                let begin = connection.batch(&begin);
                let (begun, found) = join(begin, asks(&connection)).await;
                begun.and(found)
            };
            self.database.fly(&connection, both).await
        } else {
            self.database.fly(&connection, asks(&connection)).await
        };
        if found.is_ok() {
            state.has_begun = true;
            state.connection = Some(connection);
        }
        found
    }
}

impl Drop for View {
    fn drop(&mut self) {
        let mut state = self.state();
        let Some(connection) = state.connection.take() else { return };
        match self.bond {
            // Nothing was changed, so nobody needs to wait for this.
            Bond::Moment => connection.send("COMMIT"),
            Bond::Changes => connection.give_up(),
            Bond::Nothing => {}
        }
        self.database.keep(connection);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Forwards,
    Backwards,
}

/// Where a page begins.
enum Edge {
    At(Vec<u8>),
    /// Behind this, in the way of the scan.
    Behind(Vec<u8>),
    /// Before this, for a scan that runs backwards.
    Before(Vec<u8>),
}

/// A scan, page by page.
pub(crate) struct Pages<'a> {
    view: &'a View,
    table: Table,
    /// A key or prefix of the same owner.
    beside: Vec<u8>,
    way: Way,
    from: Option<Edge>,
    /// Forwards the first item that is too far, backwards the last that is not.
    end: Option<Vec<u8>>,
    page_len: usize,
    rows: std::vec::IntoIter<Row>,
    is_last: bool,
}

impl Pages<'_> {
    /// Goes on with these, which are the next.
    fn go_on_with(&mut self, rows: Vec<Row>) {
        if let Some((last, _)) = rows.last() {
            self.from = Some(Edge::Behind(key::parts(self.table, last).item.to_vec()));
        }
        self.rows = rows.into_iter();
    }

    fn turn(&mut self) -> Stored<()> {
        let parts = key::parts(self.table, &self.beside);
        let (app, owner) = (i64::from(parts.app.0), parts.owner);
        let (at, behind, end, order) = match self.way {
            Way::Forwards => (">=", ">", "<", "ASC"),
            Way::Backwards => ("<=", "<", ">=", "DESC"),
        };
        let schema = &self.view.database.schema;
        let table = self.table.name();
        let mut statement = format!("SELECT item, value FROM {schema}.{table} WHERE app = $1 AND owner = $2");
        let mut parameters: Vec<Parameter<'_>> = vec![(&app, Type::INT8), (&owner, Type::BYTEA)];
        let from = match &self.from {
            Some(Edge::At(item)) => Some((at, item)),
            Some(Edge::Behind(item)) => Some((behind, item)),
            Some(Edge::Before(item)) => Some(("<", item)),
            None => None,
        };
        for (comparison, item) in from.into_iter().chain(self.end.as_ref().map(|item| (end, item))) {
            parameters.push((item, Type::BYTEA));
            statement.push_str(&format!(" AND item {comparison} ${}", parameters.len()));
        }
        let limit = self.page_len;
        statement.push_str(&format!(" ORDER BY app {order}, owner {order}, item {order} LIMIT {limit}"));
        let found = self.view.ask(&async |connection| {
            let found = connection.query(&statement, &parameters).await?;
            let row = |row: &tokio_postgres::Row| {
                let (item, value): (&[u8], &[u8]) = (row.try_get(0)?, row.try_get(1)?);
                Ok((whole(self.table, &self.beside, item), Slice::from(value)))
            };
            found.iter().map(row).collect::<Result<Vec<Row>, Failure>>()
        })?;
        self.is_last = found.len() < limit;
        self.page_len = (limit * 2).min(PAGE_LEN_MAX);
        self.go_on_with(found);
        Ok(())
    }
}

impl Iterator for Pages<'_> {
    type Item = Stored<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.rows.next() {
                return Some(Ok(row));
            }
            if self.is_last {
                return None;
            }
            if let Err(error) = self.turn() {
                self.is_last = true;
                return Some(Err(error));
            }
        }
    }
}

/// What somebody is about to look at.
#[derive(Default)]
pub(crate) struct Wanted {
    rows: Vec<(Table, Vec<u8>)>,
    lasts: Vec<(Table, Vec<u8>)>,
    ranges: Vec<(Table, [Vec<u8>; 2])>,
}

impl Wanted {
    pub(crate) fn row(&mut self, table: Table, key: impl AsRef<[u8]>) {
        self.rows.push((table, key.as_ref().to_vec()));
    }

    /// The last row of the owner of all that have this prefix, which names nothing but the owner.
    pub(crate) fn last(&mut self, table: Table, prefix: impl AsRef<[u8]>) {
        self.lasts.push((table, prefix.as_ref().to_vec()));
    }

    pub(crate) fn range(&mut self, table: Table, from: impl AsRef<[u8]>, until: impl AsRef<[u8]>) {
        self.ranges.push((table, [from.as_ref().to_vec(), until.as_ref().to_vec()]));
    }

    /// By table, and each only once.
    pub(super) fn sort(&mut self) {
        self.rows.sort_unstable();
        self.rows.dedup();
        self.lasts.sort_unstable();
        self.lasts.dedup();
        self.ranges.sort_unstable();
        self.ranges.dedup();
    }

    /// Looks everything up in one flight.
    pub(super) async fn look_up(&self, connection: &Connection, schema: &str) -> Result<Known, Failure> {
        let rows = self.rows.chunk_by(|one, other| one.0 == other.0).map(|rows| async move {
            let keys: Vec<&[u8]> = rows.iter().map(|(_, key)| key.as_slice()).collect();
            let found = rows_of(connection, schema, rows[0].0, &keys).await?;
            Ok::<_, Failure>((rows[0].0, keys, found))
        });
        let lasts = self.lasts.chunk_by(|one, other| one.0 == other.0).map(|rows| async move {
            let keys: Vec<&[u8]> = rows.iter().map(|(_, key)| key.as_slice()).collect();
            let found = last_of(connection, schema, rows[0].0, &keys).await?;
            Ok::<_, Failure>((rows[0].0, keys, found))
        });
        let ranges = self.ranges.chunk_by(|one, other| one.0 == other.0).map(|rows| async move {
            let ranges: Vec<[Vec<u8>; 2]> = rows.iter().map(|(_, range)| range.clone()).collect();
            let found = ranges_of(connection, schema, rows[0].0, &ranges, AHEAD_LEN_MAX).await?;
            Ok::<_, Failure>((rows[0].0, ranges, found))
        });
        let (rows, (lasts, ranges)) = join(join_all(rows), join(join_all(lasts), join_all(ranges))).await;
        let mut known = Known::default();
        for found in rows {
            let (table, keys, found) = found?;
            known.put_rows(table, &keys, found);
        }
        for found in lasts {
            let (table, prefixes, found) = found?;
            known.put_lasts(table, &prefixes, found);
        }
        for found in ranges {
            let (table, ranges, found) = found?;
            known.put_ranges(table, &ranges, found);
        }
        Ok(known)
    }
}
