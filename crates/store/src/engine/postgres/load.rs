//! Filling a schema with the rows of another store.
//!
//! Rows go in by `COPY`, into tables that have no index yet, and with each batch goes word of how far it is: whoever is
//! cut off goes on exactly there. Until the end the schema says what it is being filled with, and no store opens it.

use super::super::{Row, Table};
use super::database::{Connection, Database, Failure};
use super::schema;
use crate::key::{self, Parts};
use bytes::{BufMut, Bytes, BytesMut};
use chat::port::Stored;
use futures_util::TryStreamExt;
use std::pin::pin;
use std::sync::Arc;

/// How a binary copy begins: a signature, and two words that are zero.
const COPY_FRONT: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const COLUMNS: i16 = 4;
const COPY_END: i16 = -1;

/// A schema that is being filled.
pub(crate) struct Load {
    database: Arc<Database>,
    connection: Connection,
}

impl Load {
    pub(crate) fn begin(database: Arc<Database>) -> Stored<Self> {
        let connection = database.wait(database.connection())?;
        Ok(Self { database, connection })
    }

    /// The table that is being filled and the last key in it; `None` at the beginning.
    pub(crate) fn progress(&self) -> Stored<Option<(Table, Vec<u8>)>> {
        let statement = format!("SELECT value FROM {}.meta WHERE name = 'migrated'", self.database.schema);
        let found = self.database.wait(self.connection.texts(&statement))?;
        let Some(text) = found.first() else { return Ok(None) };
        let at = text.split_once(' ').and_then(|(name, key)| Some((Table::named(name)?, unhex(key)?)));
        let strange = || Failure::refused(format!("the schema says that it is filled up to {text:?}"));
        Ok(Some(at.ok_or_else(strange)?))
    }

    /// Puts rows into a table, of which the last one says how far it is then.
    pub(crate) fn copy(&self, table: Table, rows: &[Row]) -> Stored<()> {
        let Some((last, _)) = rows.last() else { return Ok(()) };
        let schema = &self.database.schema;
        let at = format!("{} {}", table.name(), hex(last));
        let statement = format!("COPY {schema}.{} (app, owner, item, value) FROM STDIN BINARY", table.name());
        let flight = async {
            // What a crash of the database takes back, it takes back with the word of how far it was.
            self.connection.batch("BEGIN; SET LOCAL synchronous_commit = off").await?;
            self.connection.copy_in(&statement, encoded(table, rows)).await?;
            self.connection
                .batch(&format!(
                    "INSERT INTO {schema}.meta VALUES ('migrated', '{at}')
                     ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value;
                     COMMIT"
                ))
                .await
        };
        Ok(self.database.wait(self.database.fly(&self.connection, flight))?)
    }

    /// Makes the index of a table, unless it was made before.
    pub(crate) fn index(&self, table: Table) -> Stored<()> {
        let statement = schema::key_of(&self.database.schema, table);
        Ok(self.database.wait(self.database.fly(&self.connection, self.connection.batch(&statement)))?)
    }

    /// All rows of a table, in any order: app, owner, item and value.
    pub(crate) fn rows(&self, table: Table, each: &mut dyn FnMut(u32, [&[u8]; 3])) -> Stored<()> {
        let schema = &self.database.schema;
        let statement = format!("SELECT app, owner, item, value FROM {schema}.{}", table.name());
        let reading = async {
            let mut rows = pin!(self.connection.stream(&statement).await?);
            while let Some(row) = rows.try_next().await.map_err(Failure::from)? {
                let column = |at| row.try_get::<_, &[u8]>(at).map_err(Failure::from);
                let app: i64 = row.try_get(0).map_err(Failure::from)?;
                each(app as u32, [column(1)?, column(2)?, column(3)?]);
            }
            Ok(())
        };
        self.database.wait(reading)
    }

    /// From now on, it is a store like any other.
    pub(crate) fn end(&self) -> Stored<()> {
        let schema = &self.database.schema;
        let statements = format!(
            "BEGIN; DELETE FROM {schema}.meta WHERE name IN ('migrating', 'migrated'); COMMIT; {}",
            Table::ALL.map(|table| format!("ANALYZE {schema}.{};", table.name())).concat()
        );
        Ok(self.database.wait(self.database.fly(&self.connection, self.connection.batch(&statements)))?)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // In the middle of what, nobody asks any more.
        self.connection.give_up();
    }
}

/// Rows as a binary copy has them.
fn encoded(table: Table, rows: &[Row]) -> Bytes {
    let size: usize = rows.iter().map(|(key, value)| key.len() + value.len() + 40).sum();
    let mut out = BytesMut::with_capacity(size + COPY_FRONT.len() + 2);
    out.put_slice(COPY_FRONT);
    for (key, value) in rows {
        let Parts { app, owner, item } = key::parts(table, key);
        out.put_i16(COLUMNS);
        out.put_i32(8);
        out.put_i64(i64::from(app.0));
        for column in [owner, item, value] {
            out.put_i32(i32::try_from(column.len()).expect("a row is small"));
            out.put_slice(column);
        }
    }
    out.put_i16(COPY_END);
    out.freeze()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let byte = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(byte).collect()
}
