//! The REST API: `POST /v4/{service}/{command}?{query}` with a JSON object as body.
//!
//! Every outcome, refusals included, is HTTP status 200 with `ActionStatus`, `ErrorCode` and `ErrorInfo`. Each module
//! has the request of a command, which parses from the body, and its answer, which writes itself.

pub mod account;
mod query;
pub mod roam;
pub mod sendmsg;

pub use query::Query;

use std::borrow::Cow;

use crate::{
    code::{ErrorCode, Failure},
    json::write_json,
    lenient::Slot,
    user_id::valid_user_id,
};

/// A command that this server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// `openim/sendmsg`: [`sendmsg`].
    SendMsg,
    /// `openim/admin_getroammsg`: [`roam`].
    GetRoamMsg,
    /// `im_open_login_svc/account_import`: [`account::Import`].
    AccountImport,
    /// `im_open_login_svc/multiaccount_import`: [`account::MultiImport`].
    MultiAccountImport,
    /// `im_open_login_svc/account_check`: [`account::Check`].
    AccountCheck,
    /// `im_open_login_svc/account_delete`: [`account::Delete`].
    AccountDelete,
}

impl Command {
    /// Every command.
    pub const ALL: &'static [Command] = &[
        Command::SendMsg,
        Command::GetRoamMsg,
        Command::AccountImport,
        Command::MultiAccountImport,
        Command::AccountCheck,
        Command::AccountDelete,
    ];

    /// The command of a path; [`ErrorCode::UnknownCommand`] for any other.
    pub fn parse(service: &str, command: &str) -> Result<Command, ErrorCode> {
        let known = Command::ALL.iter().find(|known| known.path() == (service, command));
        known.copied().ok_or(ErrorCode::UnknownCommand)
    }

    /// Service and command, as they stand in the path.
    pub fn path(self) -> (&'static str, &'static str) {
        match self {
            Command::SendMsg => ("openim", "sendmsg"),
            Command::GetRoamMsg => ("openim", "admin_getroammsg"),
            Command::AccountImport => ("im_open_login_svc", "account_import"),
            Command::MultiAccountImport => ("im_open_login_svc", "multiaccount_import"),
            Command::AccountCheck => ("im_open_login_svc", "account_check"),
            Command::AccountDelete => ("im_open_login_svc", "account_delete"),
        }
    }

    /// What this command's service answers to a body that is not a JSON object.
    pub fn bad_json(self) -> ErrorCode {
        match self {
            Command::SendMsg | Command::GetRoamMsg => ErrorCode::BadJson,
            Command::AccountImport
            | Command::MultiAccountImport
            | Command::AccountCheck
            | Command::AccountDelete => ErrorCode::AccountParameter,
        }
    }

    /// What this command's service answers when the server itself fails.
    pub fn internal_error(self) -> ErrorCode {
        match self {
            Command::SendMsg | Command::GetRoamMsg => ErrorCode::Internal,
            Command::AccountImport
            | Command::MultiAccountImport
            | Command::AccountCheck
            | Command::AccountDelete => ErrorCode::AccountInternal,
        }
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
            let (service, name) = command.path();
            assert_eq!(Command::parse(service, name), Ok(command));
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
