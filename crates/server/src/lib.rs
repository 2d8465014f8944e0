//! The process: translates between the wires and the rules, moves bytes, and waits.
//!
//! [`app`] wires everything up and is the only one to name a concrete store or bus. [`http`], [`gateway`] and
//! [`callback`] are the three sides the world talks to; they do not know each other. What they share lies beside
//! them: the apps' settings, credentials, and the translation of content.
//!
//! No rule is decided here, and no SQL is written here.

pub mod address;
pub mod app;
pub mod apps;
pub mod bus;
pub mod callback;
pub mod cli;
pub mod clock;
pub mod config;
pub mod credentials;
pub mod demo;
pub mod gateway;
pub mod http;
pub mod listener;
pub mod receiver;
pub mod telemetry;
pub mod translate;
