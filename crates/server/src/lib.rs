//! The process: translates between the wires and the rules, moves bytes, and waits.
//!
//! [`app`] wires everything up and is the only one to name a concrete store or bus. [`http`], [`gateway`] and
//! [`callback`] are the three sides the world talks to; they do not know each other. What they share lies beside
//! them: the apps' settings, credentials, and the translation of content.
//!
//! No rule is decided here, and no SQL is written here.

pub mod app;
pub mod http;
pub mod gateway;
pub mod media;
pub mod chat_page;
pub mod callback;
pub mod push;
pub mod bus;
pub mod apps;
pub mod endpoint;
pub mod rate;
pub mod render;
pub mod steering;
pub mod asked;
pub mod credentials;
pub mod translate;
pub mod listener;
pub mod address;
pub mod outgoing;
pub mod trust;
pub mod causes;
pub mod config;
pub mod clock;
pub mod telemetry;
pub mod receiver;
pub mod demo;
pub mod cli;
