//! The server as others see it: over real sockets, with a real data directory and a real callback receiver.
//!
//! [`app::TestApp`] is the one door. Requests and answers are written out to the letter; only times, keys and ids,
//! which the server chooses, are put in a normal form first, by [`literal::literal`].

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod app;
#[path = "../carrier/mod.rs"]
mod carrier;
mod client_document;
mod device;
mod exact;
mod literal;
mod media_call;
mod raw_http;
mod receiver;
mod rest_document;
mod schema;
mod v1_call;
mod v1_document;

mod accounts;
mod bad_input;
mod batch;
mod before_send;
mod before_friends;
mod blocklist;
mod callbacks;
mod client_conversations;
mod client_friends;
mod client_messages;
mod client_people;
mod contact;
mod deletion;
mod delivery;
mod edit;
mod effects;
mod endpoints;
mod extension;
mod filter;
mod friend_groups;
mod friend_notes;
mod friends;
mod gateway;
mod history;
mod import;
mod kick;
mod malicious;
mod marking;
mod media;
mod media_images;
mod members;
mod mute;
mod presence;
mod push;
mod profile;
mod rates;
mod recall;
mod rest_examples;
mod sending;
mod sends;
mod sessions;
mod signers;
mod status;
mod tls;
mod tolerance;
mod v1_access;
mod v1_endpoints;
mod v1_explain;
mod v1_follow;
mod v1_import;
mod v1_pull;
mod v1_show;
mod v1_trigger;
mod views;
mod websocket;
