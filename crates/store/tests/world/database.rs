//! A database for one test: a schema of its own on the server that all tests share.

use std::sync::atomic::{AtomicU32, Ordering};
use store::{Postgres, PostgresOptions};
use tokio_postgres::{Client, NoTls};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A schema, which goes with this.
pub(crate) struct Schema {
    pub(crate) url: String,
    pub(crate) name: String,
}

impl Schema {
    pub(crate) async fn new() -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let schema = Self { url: url(), name: format!("test_{}_{number}", std::process::id()) };
        // One of a test that was killed long ago may have had the same name.
        schema.drop_it().await;
        schema
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        PostgresOptions {
            url: self.url.clone(),
            schema: self.name.clone(),
            pool_size: 2,
            // As the model has it, and the embedded store.
            lanes_per_app: 1,
            ..PostgresOptions::default()
        }
    }

    pub(crate) async fn open(&self) -> Postgres {
        Postgres::open(self.options()).await.unwrap()
    }

    async fn drop_it(&self) {
        let statement =
            format!("SET client_min_messages = warning; DROP SCHEMA IF EXISTS {} CASCADE", self.name);
        client(&self.url).await.batch_execute(&statement).await.unwrap();
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        // The runtime of the test may be about to end, and must not be waited on by its own thread.
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(self.drop_it());
            });
        });
    }
}

/// Talks to the server beside the store.
#[expect(clippy::disallowed_methods, reason = "a test has no tracker; the connection ends with its client")]
pub(crate) async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[expect(clippy::disallowed_methods, reason = "a test is told from outside where its server is")]
fn url() -> String {
    std::env::var("COUPLET_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!(
            "COUPLET_TEST_POSTGRES is not set. This test needs a PostgreSQL server, which `cargo xtask test --only \
             tests` starts. To run it without that, set the variable to the URL of a server on which schemas may be \
             made, such as postgres://postgres@127.0.0.1:5432/postgres"
        )
    })
}
