//! The rules of one-to-one messaging: pure decisions, and the ports through which they reach the world.
//!
//! Responsible for what a send is allowed to do, what a conversation and a user's log look like after it,
//! in which order events are told to a backend, and what every operation of a store means ([`model`]).
//!
//! Deliberately absent: JSON, HTTP, SQL, sockets, the real time and real randomness. Bodies are opaque bytes.
//! That is why the whole crate can be simulated from a seed.
//!
//! Start at [`send`], which walks one message through every step, then read [`port`].

pub mod id;
pub mod message;
pub mod conversation;
pub mod event;
pub mod effect;
pub mod guard;
pub mod person;
pub mod admit;
pub mod append;
pub mod alter;
pub mod contact;
pub mod history;
pub mod relate;
pub mod login;
pub mod filter;
mod pace;
pub mod breaker;
pub mod dispatch;
pub mod lease;
pub mod port;
pub mod send;
pub mod change;
pub mod device;
pub mod befriend;
pub mod sync;
pub mod model;

pub use conversation::{Change, Conversation, Inbox, LogEntry, Position};
pub use event::{Event, EventDraft, EventId, Fact, Lane, Origin, Outcome, Platform, Refusal};
pub use id::{AppId, ConversationId, Side, UserId};
pub use message::{Content, Delivery, Message};
pub use send::{Chat, SendError, SendRequest, Sent};
