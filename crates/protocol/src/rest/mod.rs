//! The REST API: `POST /v4/{service}/{command}?{query}` with a JSON object as body.
//!
//! Every outcome, refusals included, is HTTP status 200 with `ActionStatus`, `ErrorCode` and `ErrorInfo`. Each module
//! has the request of a command, which parses from the body, and its answer, which writes itself.

mod query;
pub mod sendmsg;
pub mod batch;
pub mod import;
pub mod roam;
pub mod recall;
pub mod edit;
pub mod deletion;
pub mod read;
pub mod status;
pub mod extension;
pub mod contact;
pub mod account;
pub mod profile;
pub mod sns;
pub mod mute;

pub use query::Query;

use std::borrow::Cow;

use crate::{
    code::{ErrorCode, Failure},
    json::write_json,
    lenient::Slot,
    user_id::valid_user_id,
};

/// A group of commands that share the first part of their path, and their codes for what can go wrong with any call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Messages and online status.
    OpenIm,
    /// Key-value pairs on messages.
    MessageExtension,
    /// A user's list of conversations.
    RecentContact,
    /// Accounts.
    Login,
    /// Profiles.
    Profile,
    /// Friends and blocklists.
    Sns,
    /// Mutes.
    OpenConfig,
}

impl Service {
    /// The first part of the path.
    pub fn path(self) -> &'static str {
        match self {
            Service::OpenIm => "openim",
            Service::MessageExtension => "openim_msg_ext_http_svc",
            Service::RecentContact => "recentcontact",
            Service::Login => "im_open_login_svc",
            Service::Profile => "profile",
            Service::Sns => "sns",
            Service::OpenConfig => "openconfigsvr",
        }
    }

    /// The answer to a body that is not a JSON object.
    pub fn bad_json(self) -> ErrorCode {
        match self {
            Service::OpenIm => ErrorCode::BadJson,
            Service::MessageExtension => ErrorCode::ExtensionParameter,
            Service::RecentContact => ErrorCode::ContactParameter,
            Service::Login => ErrorCode::AccountParameter,
            Service::Profile => ErrorCode::ProfileParameter,
            Service::Sns => ErrorCode::RelationParameter,
            Service::OpenConfig => ErrorCode::MuteBadJson,
        }
    }

    /// The answer when the server itself fails.
    pub fn internal_error(self) -> ErrorCode {
        match self {
            Service::OpenIm => ErrorCode::Internal,
            Service::MessageExtension => ErrorCode::ExtensionInternal,
            Service::RecentContact => ErrorCode::ContactInternal,
            Service::Login => ErrorCode::AccountInternal,
            Service::Profile => ErrorCode::ProfileInternal,
            Service::Sns => ErrorCode::RelationInternal,
            Service::OpenConfig => ErrorCode::MuteInternal,
        }
    }
}

macro_rules! commands {
    ($( $name:ident = $service:ident / $command:literal, $doc:literal; )*) => {
        /// A command that this server knows.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Command { $( #[doc = $doc] $name, )* }

        impl Command {
            /// Every command, service by service.
            pub const ALL: &'static [Command] = &[ $( Command::$name, )* ];

            /// The service it belongs to.
            pub fn service(self) -> Service {
                match self { $( Command::$name => Service::$service, )* }
            }

            /// The second part of the path.
            pub fn name(self) -> &'static str {
                match self { $( Command::$name => $command, )* }
            }
        }
    };
}

commands! {
    SendMsg = OpenIm / "sendmsg", "[`sendmsg`]: sends a message.";
    BatchSendMsg = OpenIm / "batchsendmsg", "[`batch`]: sends a message to many.";
    ImportMsg = OpenIm / "importmsg", "[`import`]: puts an older message into the history.";
    GetRoamMsg = OpenIm / "admin_getroammsg", "[`roam`]: reads a page of history.";
    RecallMsg = OpenIm / "admin_msgwithdraw", "[`recall`]: takes a message back.";
    EditMsg = OpenIm / "modify_c2c_msg", "[`edit`]: changes what a message says.";
    DeleteMsg = OpenIm / "delete_c2c_msg_ramble", "[`deletion`]: takes messages out of one person's history.";
    SetMsgRead = OpenIm / "admin_set_msg_read", "[`read::SetRead`]: marks a conversation as read.";
    ConfirmMsgRead = OpenIm / "c2c_msg_read_receipt", "[`read::Confirm`]: confirms that single messages were read.";
    GetUnreadNum = OpenIm / "get_c2c_unread_msg_num", "[`read::Unread`]: counts what is unread.";
    QueryOnlineStatus = OpenIm / "query_online_status", "[`status`]: says who is online.";
    QueryState = OpenIm / "querystate", "[`status`], in its older form.";
    SetExtensions = MessageExtension / "set_key_values", "[`extension::Set`]: puts pairs on a message.";
    GetExtensions = MessageExtension / "get_key_values", "[`extension::Get`]: reads the pairs of a message.";
    GetContacts = RecentContact / "get_list", "[`contact::List`]: lists conversations.";
    DeleteContact = RecentContact / "delete", "[`contact::Delete`]: takes a conversation out of the list.";
    PinContact = RecentContact / "top", "[`contact::Pin`]: pins conversations.";
    AccountImport = Login / "account_import", "[`account::Import`]: makes an account.";
    MultiAccountImport = Login / "multiaccount_import", "[`account::MultiImport`]: makes accounts.";
    AccountCheck = Login / "account_check", "[`account::Check`]: says which accounts exist.";
    AccountDelete = Login / "account_delete", "[`account::Delete`]: deletes accounts.";
    Kick = Login / "kick", "[`account::Kick`]: logs a user out everywhere.";
    PortraitSet = Profile / "portrait_set", "[`profile::Set`]: writes to a profile.";
    PortraitGet = Profile / "portrait_get", "[`profile::Get`]: reads profiles.";
    FriendAdd = Sns / "friend_add", "[`sns::friend::Add`]: makes friends, or asks to.";
    FriendImport = Sns / "friend_import", "[`sns::friend::Import`]: puts friends into one list.";
    FriendUpdate = Sns / "friend_update", "[`sns::friend::Update`]: changes what is noted of friends.";
    FriendDelete = Sns / "friend_delete", "[`sns::friend::Delete`]: ends friendships.";
    FriendDeleteAll = Sns / "friend_delete_all", "[`sns::friend::DeleteAll`]: ends all friendships of a user.";
    FriendCheck = Sns / "friend_check", "[`sns::friend::Check`]: says who is whose friend.";
    FriendGet = Sns / "friend_get", "[`sns::friend::Page`]: reads a page of a friend list.";
    FriendGetList = Sns / "friend_get_list", "[`sns::friend::Pick`]: reads some entries of a friend list.";
    FriendGroupAdd = Sns / "group_add", "[`sns::group::Add`]: makes friend groups.";
    FriendGroupDelete = Sns / "group_delete", "[`sns::group::Delete`]: removes friend groups.";
    FriendGroupGet = Sns / "group_get", "[`sns::group::Get`]: reads friend groups.";
    BlocklistAdd = Sns / "black_list_add", "[`sns::blocklist::Add`]: blocks users.";
    BlocklistDelete = Sns / "black_list_delete", "[`sns::blocklist::Delete`]: unblocks users.";
    BlocklistGet = Sns / "black_list_get", "[`sns::blocklist::Page`]: reads a page of a blocklist.";
    BlocklistCheck = Sns / "black_list_check", "[`sns::blocklist::Check`]: says who blocks whom.";
    SetMute = OpenConfig / "setnospeaking", "[`mute::Set`]: mutes a user.";
    GetMute = OpenConfig / "getnospeaking", "[`mute::Get`]: says how long a user is muted.";
}

impl Command {
    /// The command of a path; [`ErrorCode::UnknownCommand`] for any other.
    pub fn parse(service: &str, command: &str) -> Result<Command, ErrorCode> {
        let is_meant = |known: &&Command| known.name() == command && known.service().path() == service;
        Command::ALL.iter().find(is_meant).copied().ok_or(ErrorCode::UnknownCommand)
    }
}

/// The answer of a command that succeeded and has nothing to add.
pub const fn ok() -> &'static str {
    r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#
}

/// The answer of a command that failed.
pub fn fail(failure: &Failure) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64 + failure.info.len());
    let out = &mut bytes;
    write_json!(
        out,
        r#"{"ActionStatus":"FAIL","ErrorCode":"#,
        number(u64::from(failure.code)),
        r#","ErrorInfo":"#,
        string(&failure.info),
        "}",
    );
    bytes
}

/// How every answer with more members begins; the next thing to write is a member's name.
const OK_AND: &str = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","#;

/// A UserID that may be left out.
fn optional_user_id(slot: Slot<'_>, refusal: ErrorCode) -> Result<Option<Cow<'_, str>>, Failure> {
    let user_id = slot.string().map_err(|_| refusal)?;
    match user_id {
        Some(user_id) if !valid_user_id(&user_id) => Err(refusal.into()),
        user_id => Ok(user_id),
    }
}

/// A UserID that must be there.
fn user_id(slot: Slot<'_>, refusal: ErrorCode) -> Result<Cow<'_, str>, Failure> {
    optional_user_id(slot, refusal)?.ok_or_else(|| refusal.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary::any_bytes;

    #[test]
    fn commands() {
        for &command in Command::ALL {
            assert_eq!(Command::parse(command.service().path(), command.name()), Ok(command));
        }
        for (service, name) in [("openim", "SendMsg"), ("", ""), ("im_open_login_svc", "sendmsg")] {
            assert_eq!(Command::parse(service, name), Err(ErrorCode::UnknownCommand));
        }
    }

    #[test]
    fn envelopes() {
        let table = [
            (
                ErrorCode::BadJson.into(),
                r#"{"ActionStatus":"FAIL","ErrorCode":90001,"ErrorInfo":"Fail to Parse json data of body, Please check it"}"#,
            ),
            (
                Failure { code: 120_001, info: "no \"red\"\n".into() },
                r#"{"ActionStatus":"FAIL","ErrorCode":120001,"ErrorInfo":"no \"red\"\n"}"#,
            ),
        ];
        for (failure, expected) in table {
            assert_eq!(String::from_utf8(fail(&failure)).unwrap(), expected);
        }
        assert!(ok().starts_with(OK_AND.trim_end_matches(',')));
    }

    proptest::proptest! {
        #[test]
        fn any_body_is_answered(bytes in any_bytes()) {
            let answers = [
                sendmsg::SendMessage::parse(&bytes).err(),
                roam::GetRoamMessages::parse(&bytes).err(),
                account::Import::parse(&bytes).err(),
                account::MultiImport::parse(&bytes).err(),
                account::Check::parse(&bytes).err(),
                account::Delete::parse(&bytes).err(),
            ];
            for failure in answers.into_iter().flatten() {
                proptest::prop_assert!(ErrorCode::from_number(failure.code).is_some());
            }
        }

        #[test]
        fn any_query_is_answered(query in "[a-z=&%0-9]*|(sdkappid|identifier|usersig|=|&|%|[0-9]){0,12}|\\PC*") {
            if let Ok(query) = Query::parse(&query) {
                proptest::prop_assert!(valid_user_id(&query.identifier));
            }
        }
    }
}
