//! The REST API as data: what each command takes and answers, with which codes, and how that compares with the original.
//!
//! The reference pages and the document for machines are written from here, and tests hold it to the parsers beside it
//! and to what the server answers. Nothing here is looked at while a call is served.
//!
//! Start at [`Entry`]; [`Command::entry`] has the one of each command, and [`MISSING`] what the original has beyond
//! them.

mod kind;
mod member;
mod missing;
mod openim;
mod message_extension;
mod recent_contact;
mod login;
mod profile;
mod sns;
mod open_config;

#[cfg(test)]
mod tests;

pub use kind::{Form, Kind};
pub use member::{Compat, Member, Presence};
pub use missing::{MISSING, Missing};

use super::{Command, Service};
use crate::code::ErrorCode;

/// What there is to say about a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What it does, in one line.
    pub summary: &'static str,
    /// More about it, a sentence or two each.
    pub notes: &'static [&'static str],
    /// The members of its body.
    pub request: &'static [Member],
    /// Names of members of which at least one must be there.
    pub any_of: &'static [&'static str],
    /// Every form of answer, but for a refusal that has nothing more than its code and text.
    pub answers: &'static [Answer],
    /// Codes of refusals that no single member is the reason of.
    pub codes: &'static [When],
    /// Codes in the lines of its answer that no single member is the reason of.
    pub line_codes: &'static [When],
    /// Whether the app's own backend can choose a code: 120001 to 130000.
    pub has_own_codes: bool,
    /// A call that works.
    pub example: Example,
    /// How it compares with the original, beyond what is said of its members.
    pub compat: &'static [Compat],
    /// Members that the original has and this server has not.
    pub absent: &'static [Absent],
}

/// A code, with what it means at this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// The code.
    pub code: ErrorCode,
    /// When it is answered.
    pub when: &'static str,
}

/// One form of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// `ActionStatus`, and with it `ErrorCode`.
    pub status: Status,
    /// When the answer has this form; empty when there is no other.
    pub when: &'static str,
    /// Its members besides those that every answer has.
    pub members: &'static [Member],
}

/// How an answer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `OK`, with `ErrorCode` 0.
    Ok,
    /// `SomeError`, with `ErrorCode` 0: it was carried out in part.
    SomeError,
    /// `FAIL`, with this code.
    Fail(ErrorCode),
}

/// A body with the answer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// The body of the call.
    pub request: &'static str,
    /// What it is answered, to the letter.
    pub answer: &'static str,
}

/// A member that the original has and this server has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absent {
    /// Its name.
    pub name: &'static str,
    /// Whether it is part of the answer, and not of the request.
    pub in_answer: bool,
    /// Why it is not there.
    pub why: &'static str,
}

/// What nearly all entries have.
const PLAIN: Entry = Entry {
    summary: "",
    notes: &[],
    request: &[],
    any_of: &[],
    answers: &[NOTHING_MORE],
    codes: &[],
    line_codes: &[],
    has_own_codes: false,
    example: Example { request: "", answer: "" },
    compat: &[],
    absent: &[],
};

/// The answer of a command that has nothing to add.
const NOTHING_MORE: Answer = Answer { status: Status::Ok, when: "", members: &[] };

const fn when(code: ErrorCode, when: &'static str) -> When {
    When { code, when }
}

const fn ok(members: &'static [Member]) -> Answer {
    Answer { status: Status::Ok, when: "", members }
}

const fn absent_in_request(name: &'static str, why: &'static str) -> Absent {
    Absent { name, in_answer: false, why }
}

const fn absent_in_answer(name: &'static str, why: &'static str) -> Absent {
    Absent { name, in_answer: true, why }
}

/// What any call can be refused with, besides the two codes of its service: see [`Service::bad_json`] and
/// [`Service::internal_error`].
pub const ANY_CALL: &[ErrorCode] = &[
    ErrorCode::BadUrl,
    ErrorCode::RateLimited,
    ErrorCode::NotAdmin,
    ErrorCode::AppRateLimited,
    ErrorCode::SdkAppIdMissing,
    ErrorCode::BadUrlParameter,
    ErrorCode::UserSigExpired,
    ErrorCode::UserSigMissing,
    ErrorCode::UserSigIllegal,
    ErrorCode::UserSigWrongKey,
    ErrorCode::UserSigOtherIdentifier,
    ErrorCode::UserSigOtherApp,
    ErrorCode::AppNotFound,
    ErrorCode::UserSigRevoked,
    // The store fails while it is asked whether the UserSig was revoked.
    ErrorCode::Internal,
    ErrorCode::PacketTooLarge,
];

/// The codes that an app's own backend may choose when it refuses a message before it is sent.
pub const OWN_CODES: std::ops::RangeInclusive<u32> = 120_001..=130_000;

impl Entry {
    /// What the command itself can be refused with, in ascending order; not what [any call](ANY_CALL) can.
    pub fn own_codes(&self) -> Vec<ErrorCode> {
        let of_members = codes_of(self.request, |member| member.codes);
        ascending(of_members.into_iter().chain(self.codes.iter().map(|code| code.code)))
    }

    /// The codes in the lines of its answer, in ascending order.
    pub fn own_line_codes(&self) -> Vec<ErrorCode> {
        let of_members = codes_of(self.request, |member| member.line_codes);
        ascending(of_members.into_iter().chain(self.line_codes.iter().map(|code| code.code)))
    }

    /// Every code that an ordinary refusal of the command can have, in ascending order.
    pub fn refusal_codes(&self, service: Service) -> Vec<ErrorCode> {
        let of_service = [service.bad_json(), service.internal_error()];
        ascending(self.own_codes().into_iter().chain(ANY_CALL.iter().copied()).chain(of_service))
    }
}

fn codes_of(members: &[Member], codes: fn(&Member) -> &'static [ErrorCode]) -> Vec<ErrorCode> {
    let mut found = Vec::new();
    for member in members {
        found.extend_from_slice(codes(member));
        found.extend(codes_of(member.kind.members(), codes));
    }
    found
}

fn ascending(codes: impl Iterator<Item = ErrorCode>) -> Vec<ErrorCode> {
    let mut codes: Vec<_> = codes.collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

impl Command {
    /// What there is to say about it.
    pub fn entry(self) -> &'static Entry {
        match self {
            Command::SendMsg => &openim::SEND_MSG,
            Command::BatchSendMsg => &openim::BATCH_SEND_MSG,
            Command::ImportMsg => &openim::IMPORT_MSG,
            Command::GetRoamMsg => &openim::GET_ROAM_MSG,
            Command::RecallMsg => &openim::RECALL_MSG,
            Command::EditMsg => &openim::EDIT_MSG,
            Command::DeleteMsg => &openim::DELETE_MSG,
            Command::SetMsgRead => &openim::SET_MSG_READ,
            Command::ConfirmMsgRead => &openim::CONFIRM_MSG_READ,
            Command::GetUnreadNum => &openim::GET_UNREAD_NUM,
            Command::QueryOnlineStatus => &openim::QUERY_ONLINE_STATUS,
            Command::QueryState => &openim::QUERY_STATE,
            Command::SetExtensions => &message_extension::SET_EXTENSIONS,
            Command::GetExtensions => &message_extension::GET_EXTENSIONS,
            Command::GetContacts => &recent_contact::GET_CONTACTS,
            Command::DeleteContact => &recent_contact::DELETE_CONTACT,
            Command::PinContact => &recent_contact::PIN_CONTACT,
            Command::AccountImport => &login::ACCOUNT_IMPORT,
            Command::MultiAccountImport => &login::MULTI_ACCOUNT_IMPORT,
            Command::AccountCheck => &login::ACCOUNT_CHECK,
            Command::AccountDelete => &login::ACCOUNT_DELETE,
            Command::Kick => &login::KICK,
            Command::PortraitSet => &profile::PORTRAIT_SET,
            Command::PortraitGet => &profile::PORTRAIT_GET,
            Command::FriendAdd => &sns::FRIEND_ADD,
            Command::FriendImport => &sns::FRIEND_IMPORT,
            Command::FriendUpdate => &sns::FRIEND_UPDATE,
            Command::FriendDelete => &sns::FRIEND_DELETE,
            Command::FriendDeleteAll => &sns::FRIEND_DELETE_ALL,
            Command::FriendCheck => &sns::FRIEND_CHECK,
            Command::FriendGet => &sns::FRIEND_GET,
            Command::FriendGetList => &sns::FRIEND_GET_LIST,
            Command::FriendGroupAdd => &sns::FRIEND_GROUP_ADD,
            Command::FriendGroupDelete => &sns::FRIEND_GROUP_DELETE,
            Command::FriendGroupGet => &sns::FRIEND_GROUP_GET,
            Command::BlocklistAdd => &sns::BLOCKLIST_ADD,
            Command::BlocklistDelete => &sns::BLOCKLIST_DELETE,
            Command::BlocklistGet => &sns::BLOCKLIST_GET,
            Command::BlocklistCheck => &sns::BLOCKLIST_CHECK,
            Command::SetMute => &open_config::SET_MUTE,
            Command::GetMute => &open_config::GET_MUTE,
        }
    }
}
