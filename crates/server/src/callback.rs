//! What an app's backend is asked and told, over HTTP.
//!
//! [`Questions`] asks before a send, in line and never twice. A [`worker`] tells events, from the log and until they
//! are done or parked; which one is next is decided by `chat::dispatch`. Both call through one [`call::Caller`]. The
//! [`Crew`] keeps as many workers as there are endpoints.
//!
//! Not here: what happens to a send after an answer, and what a verdict means for the order of events.

mod call;
mod crew;
mod figures;
mod question;
mod verdict;
mod worker;

pub use call::request;
pub use crew::Crew;
pub use question::Questions;
