//! A schema of its own for each test, on the PostgreSQL that all of them share.

use tokio_postgres::NoTls;

/// Goes with the test.
pub(crate) struct Schema {
    pub(crate) url: String,
    pub(crate) name: String,
}

impl Schema {
    pub(crate) async fn new() -> Self {
        // Tests that run at the same time are processes of their own.
        let schema = Self { url: url(), name: format!("process_{}", std::process::id()) };
        schema.drop_it().await;
        schema
    }

    async fn drop_it(&self) {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        let statement =
            format!("SET client_min_messages = warning; DROP SCHEMA IF EXISTS {} CASCADE", self.name);
        tokio::select! {
            dropped = client.batch_execute(&statement) => dropped.unwrap(),
            ended = connection => panic!("the connection has ended: {ended:?}"),
        }
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
