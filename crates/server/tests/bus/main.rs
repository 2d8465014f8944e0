//! Buses of several nodes on a real NATS.
//!
//! A question waits for an hour in these tests, so that one that is not answered at once never is.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics, and these are tests throughout")]

mod carrying;
mod meeting;
mod outage;
mod secured;

mod nats_server;
mod node;
