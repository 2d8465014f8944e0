//! The commands of `couplet`: each says what it does in `--help`, and ends with 0 only when it did it.

mod backup;
mod bench;
mod callback;
mod demo;
mod doctor;
mod events;
mod import;
mod listen;
mod migrate;
mod restore;
mod serve;
mod trigger;
mod usersig;

mod api;
mod data_dir;
mod layout;
mod moment;
mod output;
mod rows;
mod signals;
mod which_app;

use std::future::Future;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Serve: REST, WebSocket and callbacks on one address
    Serve(serve::Arguments),
    /// Show the whole thing: two people chat in the browser, with the callbacks beneath
    Demo(demo::Arguments),
    /// Receive callbacks: check, show, record and forward them
    Listen(listen::Arguments),
    /// Look at the events of a running server, and tell them again
    #[command(subcommand)]
    Events(events::Command),
    /// Make something happen, so that the endpoints are told or asked
    Trigger(trigger::Arguments),
    /// Read accounts and messages of an export into a running server
    Import(import::Arguments),
    /// Copy the whole store into one file, whether a server runs on it or not
    Backup(backup::Arguments),
    /// Make a data directory of a backup
    Restore(restore::Arguments),
    /// Copy the store of a data directory into PostgreSQL
    Migrate(migrate::Arguments),
    /// Look at every row of the store, and say what cannot be
    Doctor(doctor::Arguments),
    /// Find out what is wrong with an endpoint
    #[command(subcommand)]
    Callback(callback::Command),
    /// Measure a running server
    #[command(subcommand)]
    Bench(bench::Command),
    /// Make a UserSig, the credential of a user or an admin
    Usersig(usersig::Arguments),
}

/// A command failed; the text is for whoever typed it. A `clap::Error` says that the command line was wrong.
pub type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

impl Command {
    pub fn run(self) -> Outcome {
        match self {
            Self::Serve(arguments) => block_on(serve::run(arguments)),
            Self::Demo(arguments) => block_on(demo::run(arguments)),
            Self::Listen(arguments) => block_on(listen::run(arguments)),
            Self::Events(command) => block_on(events::run(command)),
            Self::Trigger(arguments) => block_on(trigger::run(arguments)),
            Self::Import(arguments) => block_on(import::run(arguments)),
            Self::Backup(arguments) => backup::run(&arguments),
            Self::Restore(arguments) => restore::run(&arguments),
            Self::Migrate(arguments) => block_on(migrate::run(arguments)),
            Self::Doctor(arguments) => doctor::run(&arguments),
            Self::Callback(callback::Command::Test(arguments)) => block_on(callback::run(arguments)),
            Self::Bench(bench::Command::Ws(arguments)) => block_on(bench::ws::run(arguments)),
            Self::Usersig(arguments) => usersig::run(&arguments),
        }
    }
}

fn block_on(command: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}
