//! What an app's backend is asked and told, over HTTP.
//!
//! [`Questions`] asks before a send, in line and never twice. A [`worker`] tells events, from the log and until they
//! are done or parked; which one is next is decided by `chat::dispatch`. Both call through one [`call::Caller`]. A worker
//! knows it as an [`Addressee`], and there are others, which are none of an app's endpoints. The [`Crew`] keeps as many
//! workers as there are addressees, for the lanes that this node has by its [`Leases`].
//!
//! Not here: what happens to a send after an answer, and what a verdict means for the order of events.

mod addressee;
mod call;
mod crew;
mod figures;
mod leases;
mod question;
mod tenancy;
mod verdict;
mod worker;

pub use addressee::Addressee;
pub use call::request;
pub use crew::{Crew, Roster};
pub use leases::Leases;
pub use question::Questions;
pub use verdict::{head, ours};
