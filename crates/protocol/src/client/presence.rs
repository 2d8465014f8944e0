//! Whether a user can be reached, as devices are told.

use crate::json::write_json;

/// One user, as answers and pushes write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence<'a> {
    /// Who.
    pub user_id: &'a str,
    /// Whether the user can be reached.
    pub status: Reach,
    /// What the user says of themself; empty unless they are online.
    pub custom: &'a str,
}

/// Whether a user can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// There is a live connection.
    Online,
    /// There is none, and offline push may still get through.
    PushOnline,
    /// Logged out, or not heard of for seven days.
    Offline,
    /// There is no such account.
    Unknown,
}

impl Reach {
    /// All of them.
    pub const ALL: [Reach; 4] = [Reach::Online, Reach::PushOnline, Reach::Offline, Reach::Unknown];

    /// The word in the frame.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reach::Online => "Online",
            Reach::PushOnline => "PushOnline",
            Reach::Offline => "Offline",
            Reach::Unknown => "Unknown",
        }
    }
}

impl Presence<'_> {
    /// Appends the members, without braces.
    pub(super) fn write_members(&self, out: &mut Vec<u8>) {
        write_json!(
            out,
            r#""user_id":"#,
            string(self.user_id),
            r#","status":"#,
            string(self.status.as_str()),
            r#","custom":"#,
            string(self.custom),
        );
    }
}
