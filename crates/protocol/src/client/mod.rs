//! The protocol between devices and the server: JSON objects as WebSocket text frames.
//!
//! A device sends [`ClientFrame`]s, each with an `id` that it chose and an `op`; the first is `connect`. The server
//! answers each under the same `id`, with [`Reply`] or [`refuse`], and sends a [`Push`] whenever something happens. A
//! push that changes what the user has stored carries the position after it, and a device that comes back with its
//! last position is sent everything since.

mod push;
mod reply;
mod request;

pub use push::{Alteration, Push, RelationNews, ViewChange};
pub use reply::{Connected, HistoryPage, Reply, refuse};
pub use request::{ClientFrame, Connect, FrameError, History, Request, SendRequest};

use std::borrow::Cow;

use crate::json::{self, write_json};

/// A place in a user's log. Offsets are compared only within one epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position<'a> {
    /// Names the log; another epoch means that the log was begun anew.
    pub epoch: Cow<'a, str>,
    /// The number of the last entry seen.
    pub offset: u64,
}

impl Position<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        write_json!(out, r#"{"epoch":"#, string(&self.epoch), r#","offset":"#, number(self.offset), "}");
    }
}

/// Appends the member `"position":{…}`.
fn position(out: &mut Vec<u8>, position: &Position<'_>) {
    json::raw(out, br#""position":"#);
    position.write(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary::{any_bytes, any_json};

    proptest::proptest! {
        #[test]
        fn any_frame_is_answered(bytes in any_bytes(), members in any_json(), op in "connect|send|history|read|ping") {
            let noise = String::from_utf8_lossy(&bytes).into_owned();
            let frame = format!(r#"{{"id":1,"op":"{op}","body":{members},"position":{members},"to":{members}}}"#);
            for text in [noise, frame] {
                if let Err(error) = ClientFrame::parse(&text) {
                    proptest::prop_assert!(crate::ErrorCode::from_number(error.failure.code).is_some());
                }
            }
        }
    }
}
