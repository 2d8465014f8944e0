//! What is said to the database: rows by table, in statements of one shape whatever their number.

use super::super::{Row, Table};
use super::database::{Connection, Failure};
use crate::key::{self, Parts};
use fjall::Slice;
use std::future::Future;
use std::pin::Pin;
use tokio_postgres::types::{ToSql, Type};

pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// Rows to be changed in one commit. A key may be in it only once.
#[derive(Default)]
pub(crate) struct Batch {
    rows: Vec<Changed>,
    bytes: u64,
}

/// A row with its value, or without one when it is removed.
type Changed = (Table, How, Vec<u8>, Vec<u8>);

/// What is done to rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Add,
    Put,
    Remove,
}

impl Batch {
    pub(crate) fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.bytes += (key.len() + value.len()) as u64;
        self.rows.push((table, How::Put, key.to_vec(), value.to_vec()));
    }

    /// Writes a row that is not there.
    pub(crate) fn add(&mut self, table: Table, key: &[u8], value: &[u8]) {
        // The others are few, and nothing follows from a second one of them.
        let has_places = matches!(table, Table::Messages | Table::Logs | Table::Events);
        let how = if has_places { How::Add } else { How::Put };
        self.bytes += (key.len() + value.len()) as u64;
        self.rows.push((table, how, key.to_vec(), value.to_vec()));
    }

    pub(crate) fn remove(&mut self, table: Table, key: &[u8]) {
        self.bytes += key.len() as u64;
        self.rows.push((table, How::Remove, key.to_vec(), Vec::new()));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The apps whose rows change.
    pub(super) fn apps(&self) -> Vec<i64> {
        let mut apps: Vec<i64> =
            self.rows.iter().map(|(table, _, key, _)| i64::from(key::parts(*table, key).app.0)).collect();
        apps.sort_unstable();
        apps.dedup();
        apps
    }

    /// All changes, by table and what is done to it, sorted by key: indexes like that.
    pub(super) fn changes(&self) -> Vec<Changes<'_>> {
        let mut rows: Vec<&Changed> = self.rows.iter().collect();
        rows.sort_unstable_by(|one, other| (one.0, one.1, &one.2).cmp(&(other.0, other.1, &other.2)));
        rows.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1))
            .map(|rows| {
                let (table, how) = (rows[0].0, rows[0].1);
                let keys = Keys::of(table, rows.iter().map(|row| row.2.as_slice()));
                Changes { table, how, keys, values: rows.iter().map(|row| row.3.as_slice()).collect() }
            })
            .collect()
    }
}

/// Keys in columns.
pub(super) struct Keys<'a> {
    apps: Vec<i64>,
    owners: Vec<&'a [u8]>,
    items: Vec<&'a [u8]>,
}

impl<'a> Keys<'a> {
    pub(super) fn of(table: Table, keys: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut columns = Self { apps: Vec::new(), owners: Vec::new(), items: Vec::new() };
        for key in keys {
            let Parts { app, owner, item } = key::parts(table, key);
            columns.apps.push(i64::from(app.0));
            columns.owners.push(owner);
            columns.items.push(item);
        }
        columns
    }

    fn parameters(&self) -> [Parameter<'_>; 3] {
        [(&self.apps, Type::INT8_ARRAY), (&self.owners, Type::BYTEA_ARRAY), (&self.items, Type::BYTEA_ARRAY)]
    }
}

/// Rows of one table to which the same is done.
pub(super) struct Changes<'a> {
    table: Table,
    how: How,
    keys: Keys<'a>,
    values: Vec<&'a [u8]>,
}

pub(super) type Sent<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

impl Changes<'_> {
    pub(super) fn send<'a>(&'a self, connection: &'a Connection, schema: &str) -> Sent<'a, ()> {
        let table = self.table.name();
        let write = format!(
            "INSERT INTO {schema}.{table} (app, owner, item, value)
             SELECT * FROM UNNEST($1::int8[], $2::bytea[], $3::bytea[], $4::bytea[])"
        );
        let statement = match self.how {
            How::Add => write,
            How::Put => {
                format!("{write} ON CONFLICT (app, owner, item) DO UPDATE SET value = EXCLUDED.value")
            }
            How::Remove => format!(
                "DELETE FROM {schema}.{table} t
                 USING UNNEST($1::int8[], $2::bytea[], $3::bytea[]) AS k (app, owner, item)
                 WHERE t.app = k.app AND t.owner = k.owner AND t.item = k.item"
            ),
        };
        Box::pin(async move {
            let mut parameters = self.keys.parameters().to_vec();
            if self.how != How::Remove {
                parameters.push((&self.values, Type::BYTEA_ARRAY));
            }
            connection.execute(&statement, &parameters).await
        })
    }
}

/// Rows by their keys. Of those that are not there, nothing is said.
pub(super) async fn rows_of(
    connection: &Connection,
    schema: &str,
    table: Table,
    keys: &[&[u8]],
) -> Result<Vec<(Vec<u8>, Slice)>, Failure> {
    let statement = format!(
        "SELECT k.nth, t.value
         FROM UNNEST($1::int8[], $2::bytea[], $3::bytea[]) WITH ORDINALITY AS k (app, owner, item, nth)
         JOIN {schema}.{} t ON t.app = k.app AND t.owner = k.owner AND t.item = k.item",
        table.name()
    );
    let columns = Keys::of(table, keys.iter().copied());
    let found = connection.query(&statement, &columns.parameters()).await?;
    let row = |row: &tokio_postgres::Row| {
        let (nth, value): (i64, &[u8]) = (row.try_get(0)?, row.try_get(1)?);
        Ok((keys[nth as usize - 1].to_vec(), Slice::from(value)))
    };
    found.iter().map(row).collect()
}

/// The last row of each owner, by the number of the owner.
pub(super) async fn last_of(
    connection: &Connection,
    schema: &str,
    table: Table,
    prefixes: &[&[u8]],
) -> Result<Vec<(usize, Row)>, Failure> {
    let statement = format!(
        "SELECT k.nth, l.item, l.value
         FROM UNNEST($1::int8[], $2::bytea[]) WITH ORDINALITY AS k (app, owner, nth)
         CROSS JOIN LATERAL (
             SELECT t.item, t.value FROM {schema}.{} t WHERE t.app = k.app AND t.owner = k.owner
             ORDER BY t.app DESC, t.owner DESC, t.item DESC LIMIT 1) l",
        table.name()
    );
    let columns = Keys::of(table, prefixes.iter().copied());
    let [apps, owners, _] = columns.parameters();
    let found = connection.query(&statement, &[apps, owners]).await?;
    let row = |row: &tokio_postgres::Row| {
        let (nth, item, value): (i64, &[u8], &[u8]) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let nth = nth as usize - 1;
        Ok((nth, (whole(table, prefixes[nth], item), Slice::from(value))))
    };
    found.iter().map(row).collect()
}

/// The first rows of each range, by its number.
pub(super) async fn ranges_of(
    connection: &Connection,
    schema: &str,
    table: Table,
    ranges: &[[Vec<u8>; 2]],
    rows_max: usize,
) -> Result<Vec<(usize, Row)>, Failure> {
    let statement = format!(
        "SELECT k.nth, l.item, l.value
         FROM UNNEST($1::int8[], $2::bytea[], $3::bytea[], $4::bytea[]) WITH ORDINALITY
             AS k (app, owner, low, high, nth)
         CROSS JOIN LATERAL (
             SELECT t.item, t.value FROM {schema}.{} t
             WHERE t.app = k.app AND t.owner = k.owner AND t.item >= k.low AND t.item < k.high
             ORDER BY t.app, t.owner, t.item LIMIT {rows_max}) l
         ORDER BY k.nth, l.item",
        table.name()
    );
    let columns = Keys::of(table, ranges.iter().map(|[low, _]| low.as_slice()));
    let highs: Vec<&[u8]> = ranges.iter().map(|[_, high]| key::parts(table, high).item).collect();
    let [apps, owners, lows] = columns.parameters();
    let found = connection.query(&statement, &[apps, owners, lows, (&highs, Type::BYTEA_ARRAY)]).await?;
    let row = |row: &tokio_postgres::Row| {
        let (nth, item, value): (i64, &[u8], &[u8]) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let nth = nth as usize - 1;
        Ok((nth, (whole(table, &ranges[nth][0], item), Slice::from(value))))
    };
    found.iter().map(row).collect()
}

/// The key of a row that has this item beside one of this key or prefix.
pub(super) fn whole(table: Table, beside: &[u8], item: &[u8]) -> Slice {
    let front = beside.len() - key::parts(table, beside).item.len();
    let mut key = Vec::with_capacity(front + item.len());
    key.extend_from_slice(&beside[..front]);
    key.extend_from_slice(item);
    Slice::from(key)
}
