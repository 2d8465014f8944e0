//! The tables, and how they come about.
//!
//! Steps only go forward, and each leaves what the release before can live with: during an upgrade both run.

use super::super::Table;
use super::database::{Connection, Failure};

/// What this release makes of a schema. One that is newer is left alone.
const FORMAT: u32 = 1;

/// Nodes that start at the same time take turns.
const ADVISORY_LOCK: i64 = 0x0063_6f75_706c_6574;

/// What a schema is opened for.
pub(crate) enum Purpose {
    /// To be a store.
    Serve,
    /// To be filled with the rows of another store, which is known again by a word.
    Load { source: String },
}

/// Makes what is missing, and says over how many lanes the events of an app are spread here.
pub(super) async fn prepare(
    connection: &Connection,
    schema: &str,
    lanes_wanted: u16,
    purpose: &Purpose,
) -> Result<u16, Failure> {
    connection.batch("BEGIN").await?;
    connection.batch(&format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")).await?;
    let found = connection.texts(&format!("SELECT to_regclass('{schema}.meta')::text")).await?;
    if found.is_empty() {
        // Asked for only where it is missing, since it takes a right that need not be given for ever.
        let there = connection
            .texts(&format!("SELECT nspname::text FROM pg_namespace WHERE nspname = '{schema}'"))
            .await?;
        if there.is_empty() {
            connection.batch(&format!("CREATE SCHEMA {schema}")).await?;
        }
        connection.batch(&first(schema, lanes_wanted)).await?;
        if let Purpose::Load { source } = purpose {
            connection.batch(&to_be_filled(schema, source)).await?;
        }
    }
    may_be_used(connection, schema, purpose).await?;
    let format = meta(connection, schema, "format").await?;
    if format > FORMAT {
        return Err(Failure::refused(format!(
            "the schema {schema} has format {format}, and this release knows formats up to {FORMAT}: it was \
             made by a newer one"
        )));
    }
    let lanes = meta(connection, schema, "lanes_per_app").await?;
    let lanes = u16::try_from(lanes).ok().filter(|lanes| *lanes > 0);
    let lanes =
        lanes.ok_or_else(|| Failure::refused(format!("{schema}.meta has no usable lanes_per_app")))?;
    connection.batch("COMMIT").await?;
    Ok(lanes)
}

/// A schema that is being filled with another store is none yet, and one that is a store is not filled with another.
async fn may_be_used(connection: &Connection, schema: &str, purpose: &Purpose) -> Result<(), Failure> {
    let statement = format!("SELECT value FROM {schema}.meta WHERE name = 'migrating'");
    let filled_with = connection.texts(&statement).await?.pop();
    let refusal = match (purpose, filled_with) {
        (Purpose::Serve, None) => return Ok(()),
        (Purpose::Load { source }, Some(found)) if *source == found => return Ok(()),
        (Purpose::Serve, Some(_)) => {
            "is being migrated into, or a migration was cut off: let it come to its end, or drop the schema"
        }
        (Purpose::Load { .. }, None) => "is a store already: migrate into a schema that is not there yet",
        (Purpose::Load { .. }, Some(_)) => {
            "has a part of something else: the source was changed since, or is another one; drop the schema"
        }
    };
    Err(Failure::refused(format!("the schema {schema} {refusal}")))
}

/// Without indexes, which are made at once when the rows are there.
fn to_be_filled(schema: &str, source: &str) -> String {
    let mut statements = format!("INSERT INTO {schema}.meta VALUES ('migrating', '{source}');");
    for table in Table::ALL {
        let name = table.name();
        statements.push_str(&format!("ALTER TABLE {schema}.{name} DROP CONSTRAINT {name}_pkey;"));
    }
    statements
}

/// Makes the key of a table that was to be filled, unless it was made before.
pub(super) fn key_of(schema: &str, table: Table) -> String {
    let name = table.name();
    format!(
        "DO $$ BEGIN
             IF NOT EXISTS (SELECT FROM pg_constraint
                            WHERE conrelid = '{schema}.{name}'::regclass AND contype = 'p') THEN
                 ALTER TABLE {schema}.{name} ADD CONSTRAINT {name}_pkey PRIMARY KEY (app, owner, item);
             END IF;
         END $$"
    )
}

async fn meta(connection: &Connection, schema: &str, name: &str) -> Result<u32, Failure> {
    let values = connection.texts(&format!("SELECT value FROM {schema}.meta WHERE name = '{name}'")).await?;
    let value = values.first().and_then(|value| value.parse().ok());
    value.ok_or_else(|| Failure::refused(format!("{schema}.meta has no usable {name}")))
}

/// The first format: one table for each of the ledger's, and the apps with their locks.
fn first(schema: &str, lanes_per_app: u16) -> String {
    let mut statements = format!(
        "CREATE TABLE {schema}.meta (name text PRIMARY KEY, value text NOT NULL);
         INSERT INTO {schema}.meta VALUES ('format', '1'), ('lanes_per_app', '{lanes_per_app}');
         CREATE TABLE {schema}.apps
             (app bigint PRIMARY KEY, generation bigint NOT NULL, mark bigint NOT NULL)
             WITH (fillfactor = 20);"
    );
    for table in Table::ALL {
        // Room for the next version of a row beside it, so that a change need not touch the index.
        let fillfactor = match table {
            Table::Conversations | Table::Lanes | Table::Routes | Table::Leases => 50,
            Table::Accounts | Table::Profiles | Table::Ties | Table::PushTokens | Table::Exceptions => 80,
            _ => 100,
        };
        statements.push_str(&format!(
            "CREATE TABLE {schema}.{name}
                 (app bigint NOT NULL, owner bytea NOT NULL, item bytea NOT NULL, value bytea NOT NULL,
                  PRIMARY KEY (app, owner, item))
                 WITH (fillfactor = {fillfactor});",
            name = table.name()
        ));
    }
    statements
}
