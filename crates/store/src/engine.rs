//! What lies under the ledger: an ordered map of bytes for each table, changed by batches that are durable before
//! anybody sees them.
//!
//! There are two. A [`Directory`] belongs to one process, which reads it at snapshots. A PostgreSQL database belongs to
//! several: a group of changes is one transaction there, which begins with the locks of its apps, and reads are
//! transactions of their own. What a row means is none of their business.

use chat::port::{StoreError, Stored};
use fjall::Slice;
use std::sync::Arc;

pub(crate) mod directory;
pub(crate) mod postgres;

pub(crate) use directory::Directory;

/// Sets of rows. Their numbers index the engine's list of open tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Table {
    Accounts,
    /// What people show of themselves. Only read by those who ask for it.
    Profiles,
    /// What a user keeps of another.
    Ties,
    /// The state of a pair of users, with the views of both.
    Conversations,
    /// With whom a user has conversations.
    Peers,
    /// What a user has noted of a conversation, where there is anything.
    Notes,
    Messages,
    /// The key-value pairs of messages.
    Extensions,
    /// What happened to a user. The last entry carries the state of the inbox.
    Logs,
    Events,
    /// Which events tell of a refused send, for whoever asks what became of one.
    Refusals,
    Lanes,
    /// How far an endpoint was told the events of a lane.
    Routes,
    Exceptions,
    /// Failed attempts, for whoever looks into them.
    Failures,
    /// What was told, when, and how: one row for each checkpoint.
    Deliveries,
    /// How push reaches the devices of a user.
    PushTokens,
    /// Which user a token is of, so that it moves with the device.
    TokenOwners,
    /// Which node tells which lanes: one row.
    Leases,
}

impl Table {
    pub(crate) const ALL: [Self; 19] = [
        Self::Accounts,
        Self::Profiles,
        Self::Ties,
        Self::Conversations,
        Self::Peers,
        Self::Notes,
        Self::Messages,
        Self::Extensions,
        Self::Logs,
        Self::Events,
        Self::Refusals,
        Self::Lanes,
        Self::Routes,
        Self::Exceptions,
        Self::Failures,
        Self::Deliveries,
        Self::PushTokens,
        Self::TokenOwners,
        Self::Leases,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Profiles => "profiles",
            Self::Ties => "ties",
            Self::Conversations => "conversations",
            Self::Peers => "peers",
            Self::Notes => "notes",
            Self::Messages => "messages",
            Self::Extensions => "extensions",
            Self::Logs => "logs",
            Self::Events => "events",
            Self::Refusals => "refusals",
            Self::Lanes => "lanes",
            Self::Routes => "routes",
            Self::Exceptions => "exceptions",
            Self::Failures => "failures",
            Self::Deliveries => "deliveries",
            Self::PushTokens => "push_tokens",
            Self::TokenOwners => "token_owners",
            Self::Leases => "leases",
        }
    }

    /// The table of a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// Something in this table is not what was written.
    pub(crate) fn corrupt(self, key: &[u8], what: &str) -> StoreError {
        StoreError::Corrupt { table: self.name(), row: key.escape_ascii().to_string(), what: what.to_owned() }
    }
}

/// What the ledger works on.
#[derive(Clone)]
pub(crate) enum Engine {
    Directory(Arc<Directory>),
    Postgres(Arc<postgres::Transactions>),
}

impl Engine {
    /// What is committed; in PostgreSQL, as the transaction that is open sees it.
    pub(crate) fn snapshot(&self) -> Snapshot<'_> {
        match self {
            Self::Directory(directory) => Snapshot::Directory(directory.snapshot()),
            Self::Postgres(transactions) => Snapshot::Postgres(transactions.view()),
        }
    }

    pub(crate) fn batch(&self, rows_expected: usize) -> Batch {
        match self {
            Self::Directory(directory) => Batch::Directory(directory.batch(rows_expected)),
            Self::Postgres(_) => Batch::Postgres(postgres::Batch::default()),
        }
    }

    /// Over how many lanes the events of an app are spread.
    pub(crate) fn lanes_per_app(&self) -> u16 {
        match self {
            Self::Directory(_) => directory::LANES_PER_APP,
            Self::Postgres(transactions) => transactions.lanes_per_app(),
        }
    }
}

/// Rows to be changed in one commit. A key may be in it only once.
pub(crate) enum Batch {
    Directory(directory::Batch),
    Postgres(postgres::Batch),
}

impl Batch {
    pub(crate) fn put(&mut self, engine: &Engine, table: Table, key: &[u8], value: &[u8]) {
        match (self, engine) {
            (Self::Directory(batch), Engine::Directory(directory)) => batch.put(directory, table, key, value),
            (Self::Postgres(batch), _) => batch.put(table, key, value),
            (Self::Directory(_), Engine::Postgres(_)) => unreachable!("a batch stays with its engine"),
        }
    }

    /// Writes a row whose key is new. In PostgreSQL it costs less to be sure of that than to look, and a row that is
    /// there nevertheless is an error instead of being lost.
    pub(crate) fn add(&mut self, engine: &Engine, table: Table, key: &[u8], value: &[u8]) {
        match (self, engine) {
            (Self::Directory(batch), Engine::Directory(directory)) => batch.put(directory, table, key, value),
            (Self::Postgres(batch), _) => batch.add(table, key, value),
            (Self::Directory(_), Engine::Postgres(_)) => unreachable!("a batch stays with its engine"),
        }
    }

    pub(crate) fn remove(&mut self, engine: &Engine, table: Table, key: &[u8]) {
        match (self, engine) {
            (Self::Directory(batch), Engine::Directory(directory)) => batch.remove(directory, table, key),
            (Self::Postgres(batch), _) => batch.remove(table, key),
            (Self::Directory(_), Engine::Postgres(_)) => unreachable!("a batch stays with its engine"),
        }
    }

    /// About what it adds to a journal.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Directory(batch) => batch.bytes(),
            Self::Postgres(batch) => batch.bytes(),
        }
    }
}

/// All tables as they are at one moment.
pub(crate) enum Snapshot<'a> {
    Directory(directory::Snapshot<'a>),
    Postgres(&'a postgres::View),
}

pub(crate) type Row = (Slice, Slice);

impl Snapshot<'_> {
    pub(crate) fn get(&self, table: Table, key: impl AsRef<[u8]>) -> Stored<Option<Slice>> {
        match self {
            Self::Directory(snapshot) => snapshot.get(table, key),
            Self::Postgres(view) => view.get(table, key.as_ref()),
        }
    }

    /// Looks ahead, where that is cheaper than looking one by one: what is asked for next is among these rows.
    pub(crate) fn expect<K: AsRef<[u8]>>(
        &self,
        table: Table,
        keys: impl IntoIterator<Item = K>,
    ) -> Stored<()> {
        match self {
            Self::Directory(_) => Ok(()),
            Self::Postgres(view) => view.expect(table, keys),
        }
    }

    /// The rows whose keys start with `prefix`, in order.
    pub(crate) fn scan(&self, table: Table, prefix: impl AsRef<[u8]>) -> Scan<'_> {
        match self {
            Self::Directory(snapshot) => Scan::Directory(snapshot.scan(table, prefix)),
            Self::Postgres(view) => {
                let prefix = prefix.as_ref();
                Scan::Postgres(view.scan(table, prefix, prefix, None))
            }
        }
    }

    /// The same, from the key `from` on.
    pub(crate) fn scan_from(
        &self,
        table: Table,
        prefix: impl AsRef<[u8]>,
        from: impl AsRef<[u8]>,
    ) -> Scan<'_> {
        match self {
            Self::Directory(snapshot) => Scan::Directory(snapshot.scan_from(table, prefix, from)),
            Self::Postgres(view) => {
                let prefix = prefix.as_ref();
                Scan::Postgres(view.scan(table, prefix, from.as_ref(), None))
            }
        }
    }

    /// The same, until the key `until`, which is not among them.
    pub(crate) fn scan_between(
        &self,
        table: Table,
        prefix: impl AsRef<[u8]>,
        [from, until]: [&[u8]; 2],
    ) -> Scan<'_> {
        match self {
            Self::Directory(snapshot) => Scan::Directory(snapshot.scan_until(table, from, Some(until))),
            Self::Postgres(view) => Scan::Postgres(view.scan(table, prefix.as_ref(), from, Some(until))),
        }
    }

    /// The rows whose keys start with `prefix`, backwards from the key `from`.
    pub(crate) fn scan_back(
        &self,
        table: Table,
        prefix: impl AsRef<[u8]>,
        from: impl AsRef<[u8]>,
    ) -> Scan<'_> {
        match self {
            Self::Directory(snapshot) => Scan::Directory(snapshot.scan_back(table, prefix, from)),
            Self::Postgres(view) => Scan::Postgres(view.scan_back(table, prefix.as_ref(), from.as_ref())),
        }
    }

    /// The last row whose key starts with `prefix`.
    pub(crate) fn last(&self, table: Table, prefix: impl AsRef<[u8]>) -> Stored<Option<Row>> {
        match self {
            Self::Directory(snapshot) => snapshot.last(table, prefix),
            Self::Postgres(view) => view.last(table, prefix.as_ref()),
        }
    }

    pub(crate) fn lanes_per_app(&self) -> u16 {
        match self {
            Self::Directory(_) => directory::LANES_PER_APP,
            Self::Postgres(view) => view.lanes_per_app(),
        }
    }
}

/// Rows on their way.
pub(crate) enum Scan<'a> {
    Directory(directory::Scan),
    Postgres(postgres::Pages<'a>),
}

impl Iterator for Scan<'_> {
    type Item = Stored<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Directory(rows) => rows.next(),
            Self::Postgres(pages) => pages.next(),
        }
    }
}

/// The first key behind all that start with `prefix`; `None` when there is none.
fn behind(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_behind_all_its_keys() {
        assert_eq!(behind(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(behind(&[1, 0xff]), Some(vec![2]));
        assert_eq!(behind(&[0xff, 0xff]), None);
    }
}
