//! Groups of changes, each a transaction that begins with the locks of its apps.
//!
//! An app has one row, which whoever changes anything of the app locks first. So there is one writer at a time for each
//! app, and every node may be it. The row says how often the app was changed: who finds the same number as after the
//! last change of its own knows that nobody else has changed anything.

use super::database::{Connection, Database, Failure};
use super::statement::Batch;
pub(crate) use super::view::Wanted;
use super::view::{Bond, Known, View};
use chat::AppId;
use chat::port::{StoreError, Stored};
use futures_util::future::{join, join_all};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_postgres::types::Type;

/// What an app has come to: how often it was changed, and what its last change is known by. A database that has lost
/// changes when another took its place counts anew from there, and other changes get the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation {
    number: i64,
    /// Drawn at random for each change.
    mark: i64,
}

/// Between two tries of the same.
const AGAIN_MS: u64 = 50;

pub(crate) struct Transactions {
    database: Arc<Database>,
    view: View,
    open: Mutex<Option<Open>>,
}

struct Open {
    apps: Locked,
    since: Instant,
}

/// The apps that are locked, as they were found.
type Locked = BTreeMap<i64, Generation>;

/// What became of a commit that was sent.
enum Outcome {
    Committed,
    /// Nothing of it was, and nobody has changed its apps since.
    Undone(Connection),
    Unknown,
}

impl Generation {
    fn next(self, mark: i64) -> Self {
        Self { number: self.number + 1, mark }
    }
}

impl Transactions {
    pub(crate) fn new(database: Arc<Database>) -> Self {
        let view = View::new(Arc::clone(&database), Bond::Changes);
        Self { database, view, open: Mutex::default() }
    }

    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    pub(crate) fn lanes_per_app(&self) -> u16 {
        self.database.lanes_per_app()
    }

    /// Whether an app belongs to the group for which a transaction is open.
    pub(crate) fn has(&self, app: AppId) -> bool {
        self.opened().as_ref().is_some_and(|open| open.apps.contains_key(&i64::from(app.0)))
    }

    /// Begins the transaction of a group: takes the locks of its apps, and looks up what will be wanted. Says how often
    /// each of the apps was changed.
    pub(crate) fn begin(&self, apps: &[AppId], mut wanted: Wanted) -> Stored<Vec<(AppId, Generation)>> {
        let mut apps: Vec<i64> = apps.iter().map(|app| i64::from(app.0)).collect();
        apps.sort_unstable();
        apps.dedup();
        wanted.sort();
        // One may be open for other apps, in which nothing was done. It would be waited for below.
        self.abandon();
        let (connection, locked, known) = self.database.wait(self.lock_in_time(&apps, &wanted))?;
        let generations = locked.iter().map(|(app, found)| (AppId(*app as u32), *found)).collect();
        let mut state = self.view.state();
        state.connection = Some(connection);
        state.known = known;
        *self.opened() = Some(Open { apps: locked, since: Instant::now() });
        Ok(generations)
    }

    /// Looks up more than was wanted at first.
    pub(crate) fn look_up(&self, mut wanted: Wanted) -> Stored<()> {
        wanted.sort();
        let mut state = self.view.state();
        let Some(connection) = state.connection.take() else { return Ok(()) };
        let schema = &self.database.schema;
        let flight = self.database.fly(&connection, wanted.look_up(&connection, schema));
        state.known = self.database.wait(flight)?;
        state.connection = Some(connection);
        Ok(())
    }

    /// Ends the transaction with these changes. Says how often the apps were changed that it changes. When it fails,
    /// nothing is known of what became of it.
    pub(crate) fn commit(&self, batch: &Batch) -> Stored<Vec<(AppId, Generation)>> {
        let (open, connection) = self.close();
        let Some(open) = open else {
            assert!(batch.is_empty(), "changes belong to apps that are locked");
            return Ok(Vec::new());
        };
        if batch.is_empty() {
            if let Some(connection) = connection {
                connection.send("COMMIT");
                self.database.keep(connection);
            }
            return Ok(Vec::new());
        }
        let changed: Locked = batch.apps().iter().map(|app| (*app, open.apps[app])).collect();
        let mark = RandomState::new().hash_one(()) as i64;
        self.database.wait(self.commit_in_time(connection, batch, (&changed, mark)))?;
        metrics::counter!("couplet_postgres_groups_total").increment(1);
        metrics::histogram!("couplet_postgres_group_latency_ms")
            .record(open.since.elapsed().as_secs_f64() * 1000.0);
        Ok(changed.iter().map(|(app, before)| (AppId(*app as u32), before.next(mark))).collect())
    }

    /// Gives up the transaction, if one is open.
    pub(crate) fn abandon(&self) {
        if let (Some(_), Some(connection)) = self.close() {
            connection.send("ROLLBACK");
            self.database.keep(connection);
        }
    }

    fn close(&self) -> (Option<Open>, Option<Connection>) {
        let mut state = self.view.state();
        state.known.clear();
        (self.opened().take(), state.connection.take())
    }

    fn opened(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().expect("nothing under this lock panics")
    }

    /// Until when something is tried: a node that has died with a lock has lost it by then.
    fn deadline(&self) -> Instant {
        let settings = &self.database.settings;
        Instant::now() + Duration::from_millis(settings.connect_timeout_ms + settings.statement_timeout_ms)
    }

    async fn lock_in_time(
        &self,
        apps: &[i64],
        wanted: &Wanted,
    ) -> Result<(Connection, Locked, Known), Failure> {
        let deadline = self.deadline();
        loop {
            let failure = match self.lock(apps, wanted).await {
                Ok(locked) => return Ok(locked),
                Err(failure) => failure,
            };
            // When no connection can be made, everybody hears so at once. Other troubles may pass.
            if !failure.is_passing() || !self.database.is_up() || Instant::now() >= deadline {
                return Err(failure);
            }
            metrics::counter!("couplet_postgres_retries_total").increment(1);
            tracing::warn!(error = failure.text, "a transaction is begun again");
            sleep(Duration::from_millis(AGAIN_MS)).await;
        }
    }

    async fn lock(&self, apps: &[i64], wanted: &Wanted) -> Result<(Connection, Locked, Known), Failure> {
        let connection = self.database.connection().await?;
        let (mut locked, mut known) = self
            .database
            .fly(&connection, async {
                // In one flight: each statement sees what the one before has waited for.
                let begin = self.begin_statement();
                let first = join(connection.batch(&begin), self.lock_rows(&connection, apps));
                let looked_up = wanted.look_up(&connection, &self.database.schema);
                let ((begun, locked), known) = join(first, looked_up).await;
                begun?;
                Ok((locked?, known?))
            })
            .await?;
        if locked.len() < apps.len() {
            // Apps of which nothing was ever kept have no row to lock.
            let schema = &self.database.schema;
            let statement = format!(
                "INSERT INTO {schema}.apps (app, generation, mark)
                 SELECT app, 0, 0 FROM UNNEST($1::int8[]) AS app ORDER BY app ON CONFLICT DO NOTHING"
            );
            let parameters = [(&apps as &(dyn tokio_postgres::types::ToSql + Sync), Type::INT8_ARRAY)];
            self.database.fly(&connection, connection.execute(&statement, &parameters)).await?;
            // What was looked up before is from a time without a lock.
            let again = async {
                let looked_up = wanted.look_up(&connection, &self.database.schema);
                let (locked, known) = join(self.lock_rows(&connection, apps), looked_up).await;
                Ok((locked?, known?))
            };
            (locked, known) = self.database.fly(&connection, again).await?;
        }
        Ok((connection, locked, known))
    }

    /// Settings go with the transaction. A node that falls asleep in the middle of one keeps the others waiting no
    /// longer than a statement may.
    fn begin_statement(&self) -> String {
        let limit = self.database.settings.statement_timeout_ms;
        format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = {limit}; \
             SET LOCAL idle_in_transaction_session_timeout = {limit}"
        )
    }

    async fn lock_rows(&self, connection: &Connection, apps: &[i64]) -> Result<Locked, Failure> {
        let statement = format!(
            "SELECT app, generation, mark FROM {}.apps WHERE app = ANY($1) ORDER BY app FOR UPDATE",
            self.database.schema
        );
        let rows = connection.query(&statement, &[(&apps, Type::INT8_ARRAY)]).await?;
        let app = |row: &tokio_postgres::Row| {
            Ok((row.try_get(0)?, Generation { number: row.try_get(1)?, mark: row.try_get(2)? }))
        };
        rows.iter().map(app).collect()
    }

    /// Commits, and finds out what became of it when the answer is lost.
    async fn commit_in_time(
        &self,
        mut connection: Option<Connection>,
        batch: &Batch,
        (changed, mark): (&Locked, i64),
    ) -> Result<(), StoreError> {
        let deadline = self.deadline();
        loop {
            if let Some(open) = connection.take() {
                let Err(failure) = self.write(&open, batch, (changed, mark)).await else {
                    self.database.keep(open);
                    return Ok(());
                };
                if !failure.is_passing() {
                    return Err(failure.into());
                }
                metrics::counter!("couplet_postgres_retries_total").increment(1);
                tracing::warn!(error = failure.text, "it is to be found out what became of a commit");
            }
            match self.outcome(changed, mark).await {
                Ok(Outcome::Committed) => return Ok(()),
                // Nothing was written, and it will not be: a full disk is full for longer than callers wait.
                Ok(Outcome::Undone(again)) if Instant::now() >= deadline => {
                    again.send("ROLLBACK");
                    self.database.keep(again);
                    return Err(StoreError::Unavailable("the database does not take a commit".to_owned()));
                }
                Ok(Outcome::Undone(again)) => {
                    sleep(Duration::from_millis(AGAIN_MS)).await;
                    connection = Some(again);
                }
                Ok(Outcome::Unknown) => {
                    let told =
                        "what became of a commit cannot be found out: others have changed the app since";
                    return Err(StoreError::Unavailable(told.to_owned()));
                }
                Err(failure) if Instant::now() >= deadline => return Err(failure.into()),
                Err(_) => sleep(Duration::from_millis(AGAIN_MS)).await,
            }
        }
    }

    /// All changes and the commit, in one flight.
    async fn write(
        &self,
        connection: &Connection,
        batch: &Batch,
        (changed, mark): (&Locked, i64),
    ) -> Result<(), Failure> {
        let schema = &self.database.schema;
        let changes = batch.changes();
        let apps: Vec<i64> = changed.keys().copied().collect();
        let raise =
            format!("UPDATE {schema}.apps SET generation = generation + 1, mark = $2 WHERE app = ANY($1)");
        let flight = async {
            let sent = join_all(changes.iter().map(|changes| changes.send(connection, schema)));
            let parameters: [super::statement::Parameter<'_>; 2] =
                [(&apps, Type::INT8_ARRAY), (&mark, Type::INT8)];
            let raised = connection.execute(&raise, &parameters);
            let (sent, (raised, committed)) = join(sent, join(raised, connection.batch("COMMIT"))).await;
            // After a statement that failed, a commit is answered as if it were one, and undoes everything.
            let written: Result<(), Failure> = sent.into_iter().collect();
            written.and(raised).and(committed)
        };
        self.database.fly(connection, flight).await
    }

    /// What became of a commit: the rows of its apps say so. Whoever has locked them can be sure that the transaction
    /// in question has ended.
    async fn outcome(&self, changed: &Locked, mark: i64) -> Result<Outcome, Failure> {
        let apps: Vec<i64> = changed.keys().copied().collect();
        let (connection, found, _) = self.lock(&apps, &Wanted::default()).await?;
        let raised = |app: &i64, before: &Generation| found.get(app) == Some(&before.next(mark));
        if changed.iter().any(|(app, before)| raised(app, before)) {
            // It can be seen before a standby has it. This commit comes after it, and waits for the standby.
            self.database.fly(&connection, connection.batch("COMMIT")).await?;
            self.database.keep(connection);
            return Ok(Outcome::Committed);
        }
        // If it had been committed, all of them would have changed.
        if changed.iter().all(|(app, before)| found.get(app) == Some(before)) {
            return Ok(Outcome::Undone(connection));
        }
        connection.send("ROLLBACK");
        self.database.keep(connection);
        Ok(Outcome::Unknown)
    }
}
