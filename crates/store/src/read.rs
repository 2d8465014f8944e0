//! What is read from the database, always at one snapshot.
//!
//! Whatever is found here is committed, and so may be shown to anyone.

mod message;
mod person;
mod event;

pub(super) use event::{
    delivered, delivery, event, events, events_behind, exception, exceptions, failures, lane, lane_extent,
    parked, route,
};
pub(super) use message::{
    contacts, contacts_with, conversation, decoded_conversation, decoded_message, find, find_for, history,
    landed, messages, missing_conversation, named, peers, place_meant, recent_messages, second_exceeds,
    unread, unread_behind,
};
pub(super) use person::{
    account, account_exists, changes, inbox, inbox_of, listed, people, revoked_s, tie, ties_of,
};
