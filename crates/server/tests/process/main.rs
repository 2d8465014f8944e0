//! The real binary, real files, real signals.
//!
//! Every test starts `couplet` as a child on a directory of its own, and asks it only what a user could ask: over
//! HTTP, over a WebSocket, on the command line. They wait for events and for nothing else: the line that says that
//! a server is ready, an answer, a callback, the end of a process. Few and slow; start reading at `kill_nine`.
//!
//! `COUPLET_TEST_SEED` repeats a run's choices, `COUPLET_TEST_ROUNDS` is how often `kill_nine` and
//! `delivery_kills` kill, `COUPLET_TEST_OUTAGE_SECS` how long the receiver in `outage` is
//! away, and `COUPLET_TEST_SOAK_SECS` how long the devices in `soak` live.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics, and these are tests throughout")]

mod backup;
mod bench;
mod cluster;
mod delivery_kills;
mod deploy;
mod callback_test;
mod disk_full;
mod events;
mod faults;
mod first_start;
mod guide;
mod import;
mod kill_nine;
mod lanes;
mod listen;
mod media;
mod migrate;
mod openapi;
mod outage;
mod push;
mod replay;
mod sdks;
mod signatures;
mod soak;
mod stop;
mod torn_journal;

mod authority;
mod bad_endpoint;
#[path = "../carrier/mod.rs"]
mod carrier;
mod chance;
mod device;
mod event_api;
mod history;
mod load;
mod log;
mod metrics;
#[path = "../bus/nats_server.rs"]
mod nats_server;
mod place;
mod process;
mod receiver;
mod rest;
#[expect(dead_code, reason = "the tests of the store open it by themselves")]
#[path = "../../../store/tests/world/database.rs"]
mod schema;
