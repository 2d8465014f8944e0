//! The stores: where everything that was acknowledged stands, durable, whatever happens to the process.
//!
//! Responsible for carrying out the operations of [`chat::port::Store`] as single commits, and for reading them
//! back. The default is [`Embedded`], a directory on this machine; [`Postgres`] is a database that several nodes share.
//!
//! ```text
//! callers ── queue ──► writer ── ledger (caches, guard) ── group ──► engine
//!    ▲                                                                 │
//!    └───────────────────────────── answers ◄──────────────────────────┘
//! ```
//!
//! Changes go through the writer, which sees all of them in order; reads go straight to the engine. A commit is durable
//! before anyone is answered and before any reader sees it.
//!
//! Deliberately absent: policy. What a message does to a conversation, an inbox or a log is decided by `chat`;
//! stores keep the results. There is no clock here either: every time is handed in.
//!
//! Start at `writer`, then read `ledger`. What the rows look like is in `key` and `codec`; what is known of the two
//! engines is below `engine`, and nowhere else.

pub mod embedded;
pub mod postgres;
pub mod backup;

mod opened;
mod port;
mod operation;
mod queue;
mod writer;
mod ledger;
mod cache;
mod group;
mod commit;
mod read;
mod key;
mod codec;
mod notation;
mod engine;
mod copy;
mod check;
mod migrate;

pub use check::{Examined, Finding, News};
pub use copy::{CopyError, RestoreError, restore};
pub use embedded::{Embedded, EmbeddedOptions, EmbeddedStats, OpenError};
pub use migrate::{MigrateError, Migrated, Stage, migrate};
pub use opened::Opened;
pub use postgres::{Postgres, PostgresError, PostgresOptions, PostgresStats};
