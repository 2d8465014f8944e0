//! `couplet migrate`: killed in the middle, it goes on; and nobody serves what is half there.

use crate::history;
use crate::place::{self, Place, couplet};
use crate::process::Process;
use crate::rest::{self, SEND};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use tokio_postgres::NoTls;

/// A schema of this test, which goes with it.
struct Schema {
    url: String,
    name: String,
}

impl Schema {
    async fn new() -> Self {
        let this = Self { url: url(), name: format!("migrate_{}", std::process::id()) };
        this.drop_it().await;
        this
    }

    async fn drop_it(&self) {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        let mut connected = tokio::task::JoinSet::new();
        connected.spawn(connection);
        let statement =
            format!("SET client_min_messages = warning; DROP SCHEMA IF EXISTS {} CASCADE", self.name);
        client.batch_execute(&statement).await.unwrap();
    }

    fn settings(&self) -> String {
        format!("store = \"postgres\"\n[postgres]\nurl = \"{}\"\nschema = \"{}\"\n", self.url, self.name)
    }
}

#[expect(clippy::disallowed_methods, reason = "a test is told from outside where its server is")]
fn url() -> String {
    std::env::var("COUPLET_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!(
            "COUPLET_TEST_POSTGRES is not set: it is the URL of a PostgreSQL server on which schemas may be made, \
             which `cargo xtask test --only tests` starts"
        )
    })
}

fn migrate(place: &Place, schema: &Schema) -> Command {
    let mut command = couplet();
    command.arg("migrate").arg("--from").arg(place.data_dir());
    command.args(["--to", &schema.url, "--schema", &schema.name, "--json"]);
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_is_killed_goes_on() {
    let place = Place::new("", "");
    let users = place::users(4);
    let schema = Schema::new().await;
    let server = place.start_with(&users).await;
    let mut admin = place::admin(&server).await;
    for random in 1..=200 {
        let (from, to) = (&users[random as usize % 4], &users[(random as usize + 1) % 4]);
        let message = rest::message(from, to, random, &format!("message {random}"));
        assert_eq!(admin.call(SEND, message).await.unwrap().code, 0);
    }
    let before = history::read_all(&mut admin, &users).await;
    let words = place.refusal(&mut migrate(&place, &schema)).await;
    assert!(words.contains("is held by a process"), "{words}");
    server.stop().await;

    // It says that it copies when the first rows are there, and has a long way to go then.
    let mut copying = migrate(&place, &schema).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(copying.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().starts_with("Copying")));
    copying.kill().unwrap();
    copying.wait().unwrap();
    place.declare(&schema.settings(), "");
    let words = place.refusal(&mut place.serve()).await;
    assert!(words.contains("is being migrated into"), "{words}");

    let mut going_on = Process::start(migrate(&place, &schema).stderr(Stdio::null()));
    let done: Value = going_on.json_line().await;
    let (before_rows, rows) = (done["rows_before"].as_u64().unwrap(), done["rows"].as_u64().unwrap());
    assert!(before_rows > 0 && before_rows < rows, "{done}");
    assert_eq!(going_on.ended().await.0.code(), Some(0));

    let server = place.start().await;
    let mut admin = place::admin(&server).await;
    assert_eq!(history::read_all(&mut admin, &users).await, before);
    let message = rest::message(&users[0], &users[1], 1_000, "from here on");
    assert_eq!(admin.call(SEND, message).await.unwrap().code, 0);
    server.stop().await;
    schema.drop_it().await;
}
