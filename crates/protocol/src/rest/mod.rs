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
pub mod surface;

pub use query::Query;

use std::borrow::Cow;

use crate::{
    MsgKey,
    code::{ErrorCode, Failure},
    json::{self, write_json},
    lenient::{Slot, WrongType},
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

    /// Whether its answers, refusals included, have an `ErrorDisplay`. It is always empty: what to show to people is
    /// the client's business.
    pub fn has_display(self) -> bool {
        matches!(self, Service::RecentContact | Service::Profile | Service::Sns)
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
    SendMsg = OpenIm / "sendmsg", "[`sendmsg::SendMessage`]: sends a message.";
    BatchSendMsg = OpenIm / "batchsendmsg", "[`batch::SendBatch`]: sends a message to many.";
    ImportMsg = OpenIm / "importmsg", "[`import::ImportMessage`]: puts an older message into the history.";
    GetRoamMsg = OpenIm / "admin_getroammsg", "[`roam::GetRoamMessages`]: reads a page of history.";
    RecallMsg = OpenIm / "admin_msgwithdraw", "[`recall::Recall`]: takes a message back.";
    EditMsg = OpenIm / "modify_c2c_msg", "[`edit::Edit`]: changes what a message says.";
    DeleteMsg = OpenIm / "delete_c2c_msg_ramble", "[`deletion::DeleteMessages`]: takes messages out of one person's history.";
    SetMsgRead = OpenIm / "admin_set_msg_read", "[`read::SetRead`]: marks a conversation as read.";
    ConfirmMsgRead = OpenIm / "c2c_msg_read_receipt", "[`read::Confirm`]: confirms that single messages were read.";
    GetUnreadNum = OpenIm / "get_c2c_unread_msg_num", "[`read::Unread`]: counts what is unread.";
    QueryOnlineStatus = OpenIm / "query_online_status", "[`status::Query`]: says who is online, and on which platforms.";
    QueryState = OpenIm / "querystate", "[`status::Query`], in its older form: without platforms.";
    SetExtensions = MessageExtension / "set_key_values", "[`extension::Set`]: sets, deletes or clears the pairs of a message.";
    GetExtensions = MessageExtension / "get_key_values", "[`extension::Get`]: reads the pairs of a message.";
    GetContacts = RecentContact / "get_list", "[`contact::List`]: lists conversations.";
    DeleteContact = RecentContact / "delete", "[`contact::Delete`]: takes a conversation out of the list.";
    PinContact = RecentContact / "top", "[`contact::Pin`]: pins conversations, or unpins them.";
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
    SetMute = OpenConfig / "setnospeaking", "[`mute::Set`]: mutes a user, or lifts that.";
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

/// The same, of the services whose answers have an `ErrorDisplay`: see [`Service::has_display`].
pub const fn ok_with_display() -> &'static str {
    r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}"#
}

/// The answer of a command that failed; `None` when the path names no service.
pub fn fail(service: Option<Service>, failure: &Failure) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(88 + failure.info.len());
    let out = &mut bytes;
    fail_and(out, failure);
    if service.is_some_and(Service::has_display) {
        write_json!(out, r#","ErrorDisplay":"""#);
    }
    out.push(b'}');
    bytes
}

/// How every answer with more members begins; the next thing to write is a member's name.
const OK_AND: &str = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","#;

/// The same, of the services whose answers have an `ErrorDisplay`.
const OK_DISPLAY_AND: &str = r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":"","#;

/// How every answer of a command that failed begins; the next thing to write is a comma or the end.
fn fail_and(out: &mut Vec<u8>, failure: &Failure) {
    write_json!(
        out,
        r#"{"ActionStatus":"FAIL","ErrorCode":"#,
        number(u64::from(failure.code)),
        r#","ErrorInfo":"#,
        string(&failure.info),
    );
}

/// One line of an `ErrorList`: an account that a command for many could not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedAccount<'a> {
    /// The account, as the request named it.
    pub user_id: &'a str,
    /// `ErrorCode`: why.
    pub code: u32,
}

/// An `ErrorList` without its name. The accounts are called `To_Account` in some lists and `Peer_Account` in others.
fn error_list(out: &mut Vec<u8>, member: &str, failed: &[FailedAccount<'_>]) {
    json::array(out, failed, |out, failed| {
        write_json!(
            out,
            "{",
            string(member),
            ":",
            string(failed.user_id),
            r#","ErrorCode":"#,
            number(u64::from(failed.code)),
            "}",
        );
    });
}

/// Ends one line of the answer of a command for many with what became of it; 0 and an empty text when it worked.
fn end_result(out: &mut Vec<u8>, failure: Option<&Failure>) {
    let (code, info) = failure.map_or((0, ""), |failure| (failure.code, &*failure.info));
    write_json!(out, r#","ResultCode":"#, number(u64::from(code)), r#","ResultInfo":"#, string(info), "}");
}

/// Goes on with `Fail_Account`, which is there only when somebody failed.
fn fail_accounts<'a>(out: &mut Vec<u8>, failed: impl Iterator<Item = &'a str>) {
    let failed: Vec<&str> = failed.collect();
    if !failed.is_empty() {
        json::raw(out, br#","Fail_Account":"#);
        json::array(out, &failed, |out, user_id| json::string(out, user_id));
    }
}

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

/// The items of a list of Strings.
fn strings(items: Vec<Slot<'_>>) -> Result<Vec<Cow<'_, str>>, WrongType> {
    items.into_iter().map(|item| item.string()?.ok_or(WrongType)).collect()
}

/// The key of a message that must be there.
fn msg_key(slot: Slot<'_>, refusal: ErrorCode) -> Result<MsgKey, Failure> {
    let text = slot.string().ok().flatten();
    text.and_then(|text| text.parse().ok()).ok_or_else(|| refusal.into())
}

/// A member of an `openim` command that has no code of its own.
fn bad_format(name: &str, wanted: &str) -> Failure {
    ErrorCode::BadFormat.with(format!("{name} must be {wanted}"))
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
                None,
                ErrorCode::UnknownCommand.into(),
                r#"{"ActionStatus":"FAIL","ErrorCode":60009,"ErrorInfo":"this command is not known"}"#,
            ),
            (
                Some(Service::OpenIm),
                ErrorCode::BadJson.into(),
                r#"{"ActionStatus":"FAIL","ErrorCode":90001,"ErrorInfo":"Fail to Parse json data of body, Please check it"}"#,
            ),
            (
                Some(Service::OpenConfig),
                Failure { code: 120_001, info: "no \"red\"\n".into() },
                r#"{"ActionStatus":"FAIL","ErrorCode":120001,"ErrorInfo":"no \"red\"\n"}"#,
            ),
            (
                Some(Service::RecentContact),
                ErrorCode::ContactAccountNotFound.into(),
                r#"{"ActionStatus":"FAIL","ErrorCode":50001,"ErrorInfo":"the account does not exist","ErrorDisplay":""}"#,
            ),
        ];
        for (service, failure, expected) in table {
            assert_eq!(String::from_utf8(fail(service, &failure)).unwrap(), expected);
        }
        assert_eq!(ok(), r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}"#);
        assert_eq!(
            ok_with_display(),
            r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","ErrorDisplay":""}"#
        );
        assert!(ok().starts_with(OK_AND.trim_end_matches(',')));
        assert!(ok_with_display().starts_with(OK_DISPLAY_AND.trim_end_matches(',')));
        assert!(Service::Profile.has_display() && Service::Sns.has_display());
        assert!(!Service::Login.has_display() && !Service::MessageExtension.has_display());
    }

    proptest::proptest! {
        #[test]
        fn any_body_is_answered(bytes in any_bytes()) {
            let answers = [
                sendmsg::SendMessage::parse(&bytes).err(),
                batch::SendBatch::parse(&bytes).err(),
                import::ImportMessage::parse(&bytes).err(),
                roam::GetRoamMessages::parse(&bytes).err(),
                recall::Recall::parse(&bytes).err(),
                edit::Edit::parse(&bytes).err(),
                deletion::DeleteMessages::parse(&bytes).err(),
                read::SetRead::parse(&bytes).err(),
                read::Confirm::parse(&bytes).err(),
                read::Unread::parse(&bytes).err(),
                status::Query::parse(&bytes).err(),
                extension::Set::parse(&bytes).err(),
                extension::Get::parse(&bytes).err(),
                contact::List::parse(&bytes).err(),
                contact::Delete::parse(&bytes).err(),
                contact::Pin::parse(&bytes).err(),
                mute::Set::parse(&bytes).err(),
                mute::Get::parse(&bytes).err(),
                account::Import::parse(&bytes).err(),
                account::MultiImport::parse(&bytes).err(),
                account::Check::parse(&bytes).err(),
                account::Delete::parse(&bytes).err(),
                account::Kick::parse(&bytes).err(),
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
