//! The stores: where everything that was acknowledged stands, durable, whatever happens to the process.
//!
//! Responsible for carrying out the operations of [`chat::port::Store`] as single commits, and for reading them
//! back. The default is [`Embedded`], a directory on this machine.
//!
//! Deliberately absent: policy. What a message does to a conversation, an inbox or a log is decided by `chat`;
//! stores keep the results. There is no clock here either: every time is handed in.
//!
//! Start at [`embedded`].

pub mod embedded;

pub use embedded::{Embedded, EmbeddedOptions, EmbeddedStats, OpenError};
