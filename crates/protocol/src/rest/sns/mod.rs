//! Friends and blocklists.

pub mod friend;
pub mod group;
pub mod blocklist;
