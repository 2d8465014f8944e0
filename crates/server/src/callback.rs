//! What an app's backend is asked and told, over HTTP.
//!
//! [`Questions`] asks before a send, in line and never twice. A [`worker`] tells events, from the log and until they
//! are done or parked; which one is next is decided by `chat::dispatch`. Both call through one [`Caller`].
//!
//! Not here: what happens to a send after an answer, and what a verdict means for the order of events.

mod call;
mod question;
mod render;
mod verdict;
mod worker;

pub use call::Caller;
pub use question::Questions;
pub use worker::Worker;
