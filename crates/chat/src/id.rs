//! Who is talking: apps, users, and the pair that makes a conversation.

use std::fmt;
use std::hash::{Hash, Hasher};

/// An app, known to its backend as the SDKAppID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppId(pub u32);

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Longest user id, in UTF-8 bytes.
pub const USER_ID_BYTES_MAX: usize = 32;

/// A user within an app: 1 to 32 bytes of UTF-8 without control characters.
///
/// Kept inline, because every step of a message copies the ids of both people.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserId {
    bytes: [u8; USER_ID_BYTES_MAX],
    len: u8,
}

impl UserId {
    /// `None` when `text` is empty, longer than 32 bytes, or has control characters.
    pub fn new(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > USER_ID_BYTES_MAX || text.chars().any(char::is_control) {
            return None;
        }
        let mut bytes = [0; USER_ID_BYTES_MAX];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Some(Self { bytes, len: text.len() as u8 })
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("only UserId::new fills the bytes, from a str")
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Whether it names a program that talks to users, by the convention of its first characters.
    pub fn is_bot(&self) -> bool {
        self.as_str().starts_with("@RBT#")
    }

    /// A stable 18-digit number that stands for the user inside client-visible message ids.
    ///
    /// It is derived, not allotted, so that every node knows it without asking anyone. Two users that share a
    /// number share nothing else: a message id also holds the time and the sender's random number.
    pub fn numeric(&self, app: AppId) -> u64 {
        const BASE: u64 = 1 << 57;
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in app.0.to_be_bytes().iter().chain(self.as_bytes()) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        // FNV leaves the high bits of short inputs poor; one multiply-and-shift spreads them.
        hash = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        BASE + ((hash ^ (hash >> 29)) & (BASE / 2 - 1))
    }
}

impl Hash for UserId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.as_bytes());
        state.write_u8(0xff);
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

/// A pair of users within an app, in a fixed order, whoever speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationId {
    pub app: AppId,
    pub low: UserId,
    pub high: UserId,
}

/// One of the two people of a conversation; indexes what is kept for each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Low = 0,
    High = 1,
}

impl ConversationId {
    pub fn new(app: AppId, one: UserId, other: UserId) -> Self {
        if one <= other { Self { app, low: one, high: other } } else { Self { app, low: other, high: one } }
    }

    /// The side of `user`. A conversation with oneself has one side, `Low`.
    pub fn side(&self, user: &UserId) -> Side {
        assert!(*user == self.low || *user == self.high, "a conversation is only asked about its own people");
        if *user == self.low { Side::Low } else { Side::High }
    }

    pub fn peer(&self, user: &UserId) -> UserId {
        if *user == self.low { self.high } else { self.low }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> UserId {
        UserId::new(text).unwrap()
    }

    #[test]
    fn user_ids_have_both_sides_of_every_edge() {
        assert!(UserId::new("").is_none());
        assert!(UserId::new(&"a".repeat(32)).is_some());
        assert!(UserId::new(&"a".repeat(33)).is_none());
        assert!(UserId::new("é".repeat(16).as_str()).is_some());
        assert!(UserId::new("line\nbreak").is_none());
        assert_eq!(user("用户").as_str(), "用户");
    }

    #[test]
    fn a_conversation_is_the_same_from_both_sides() {
        let app = AppId(1);
        let id = ConversationId::new(app, user("bo"), user("ana"));
        assert_eq!(id, ConversationId::new(app, user("ana"), user("bo")));
        assert_eq!(id.side(&user("ana")), Side::Low);
        assert_eq!(id.peer(&user("ana")), user("bo"));
        assert_eq!(id.peer(&user("bo")), user("ana"));
    }

    #[test]
    fn numeric_ids_are_stable_and_have_eighteen_digits() {
        let number = user("ana").numeric(AppId(1_400_000_001));
        assert_eq!(number, user("ana").numeric(AppId(1_400_000_001)));
        assert_ne!(number, user("bo").numeric(AppId(1_400_000_001)));
        assert_ne!(number, user("ana").numeric(AppId(1_400_000_002)));
        assert_eq!(number.to_string().len(), 18);
    }
}
