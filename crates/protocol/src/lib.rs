//! The words on every wire: REST requests and answers, callback bodies, client frames, message elements,
//! error and close codes, UserSig.
//!
//! Everything here is a function from bytes to values or from values to bytes. Parsing borrows from its input and
//! passes a `MsgBody` on as the bytes that came in, because this crate is on the path of every message.
//!
//! Not here: input and output, the clock (times are passed in), and rules such as who may write to whom.
//!
//! Start at [`code`] for the errors, [`rest`] for what a backend sends, [`callback`] for what a backend is told and
//! [`client`] for what a device says.
#![warn(missing_docs)]

#[cfg(test)]
mod arbitrary;
pub mod callback;
pub mod client;
pub mod code;
pub mod element;
pub mod export;
mod json;
mod lenient;
pub mod limits;
pub mod msg_key;
pub mod rest;
mod scan;
pub mod url;
pub mod user_id;
pub mod usersig;
pub mod websocket;

pub use code::{CloseCode, ErrorCode, Failure};
pub use msg_key::MsgKey;
pub use serde_json::value::RawValue;
pub use user_id::valid_user_id;
