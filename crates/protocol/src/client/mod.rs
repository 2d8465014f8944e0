//! The protocol between devices and the server: JSON objects as WebSocket text frames.
//!
//! A device sends [`ClientFrame`]s, each with an `id` that it chose and an `op`; the first is `connect`. The server
//! answers each under the same `id`, with [`Reply`] or [`refuse`], and sends a [`Push`] whenever something happens. A
//! push that changes what the user has stored carries the position after it, and a device that comes back with its
//! last position is sent everything since.

mod presence;
mod push;
mod reply;
mod request;
pub mod surface;

pub use presence::{Presence, Reach};
pub use push::{Alteration, KickReason, Push, RelationNews, ViewChange};
pub use reply::{
    Asking, Connected, ConversationEntry, ConversationReply, Extended, Friend, FriendList, HistoryPage,
    ImageSize, MediaReply, MessageReply, PeerResult, PeopleReply, PresenceReply, Receipt, Reply, Uploaded,
    UploadedImage, UserProfile, Values, refuse, refuse_edit, refuse_upload,
};
pub use request::{
    Befriend, Carrier, ClientFrame, Connect, ConversationRequest, Edit, Extend, ExtendOperation, FrameError,
    Grouped, History, HistoryPlace, ListPage, ListPlace, MediaKind, MediaRequest, MessageRequest, Named,
    NamedMany, NoteFriend, Notify, PeopleRequest, PresenceRequest, Request, SeenPair, SendRequest, SetPair,
    SetPushToken, TokenRequest, Upload,
};

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

    const PEOPLE: [&str; 18] = [
        "profiles",
        "set_profile",
        "friends",
        "befriend",
        "unfriend",
        "check_friends",
        "note_friend",
        "requests",
        "accept",
        "refuse",
        "add_groups",
        "delete_groups",
        "rename_group",
        "join_group",
        "leave_group",
        "block",
        "unblock",
        "blocked",
    ];

    proptest::proptest! {
        #[test]
        fn any_frame_about_people_is_answered(json in any_json(), op in proptest::sample::select(&PEOPLE)) {
            let tags = format!(r#"{{"Tag_Profile_IM_Nick":{json},"Tag_SNS_Custom_a":{json}}}"#);
            let members = format!(
                r#""users":["bo",{json}],"profile":{tags},"peer":"bo","peers":["bo",{json}],"limit":{json},"after":{json},"mutual":{json},"source":"AddSource_Type_Web","wording":{json},"remark":{json},"group":{json},"groups":["a",{json}],"custom":{tags},"name":"a","names":["a",{json}],"to":{json}"#
            );
            let frames = [members.clone(), members.replace(&json, "1"), format!(r#""peers":{json},"users":{json}"#)];
            for members in frames {
                let frame = format!(r#"{{"id":1,"op":"{op}",{members}}}"#);
                if let Err(error) = ClientFrame::parse(&frame) {
                    proptest::prop_assert!(crate::ErrorCode::from_number(error.failure.code).is_some());
                    proptest::prop_assert_ne!(error.failure.code, crate::ErrorCode::UnknownOperation.number());
                }
            }
        }

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
