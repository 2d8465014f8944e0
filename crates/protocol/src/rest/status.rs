//! `openim/query_online_status` and the older `openim/querystate`: who is online.

use std::borrow::Cow;

use super::{FailedAccount, OK_AND, bad_format, error_list, fail_and, strings};
use crate::{
    callback::OptPlatform,
    code::{ErrorCode, Failure},
    json::{self, write_json},
    lenient::{self, Slot, slots},
    limits::TARGETS_PER_CALL_MAX,
};

/// The request, in both forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query<'a> {
    /// `To_Account`: 1 to 500 Strings. One that is not a valid UserID is answered like an account that does not exist.
    pub users: Vec<Cow<'a, str>>,
    /// `IsNeedDetail`: name the platforms too. The older form has no answer to it.
    pub detail: bool,
}

/// Whether a user, or one of the user's platforms, can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// There is a live connection.
    Online,
    /// There is none, and offline push may still get through.
    PushOnline,
    /// Logged out, or not heard of for seven days.
    Offline,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statuses<'a> {
    /// Whether the request asked for the platforms.
    pub detail: bool,
    /// `QueryResult`: the users that exist.
    pub users: &'a [UserStatus<'a>],
    /// `ErrorList`: the others.
    pub failed: &'a [FailedAccount<'a>],
}

/// One line of `QueryResult`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserStatus<'a> {
    /// `To_Account`.
    pub user_id: &'a str,
    /// `Status`, in the older form `State`: the best of the platforms.
    pub status: Status,
    /// `Detail`; not written when the user is offline.
    pub platforms: &'a [PlatformStatus],
}

/// One line of `Detail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlatformStatus {
    /// `Platform`: `iPhone`, `Android`, `Web`, `PC`, `iPad` or `Mac`. Any other keeps its word.
    pub platform: OptPlatform,
    /// `Status`.
    pub status: Status,
}

slots! {
    struct Members {
        users: "To_Account",
        detail: "IsNeedDetail",
    }
}

impl<'a> Query<'a> {
    /// Parses the body of the request. Refused with [`ErrorCode::BadJson`], also when `To_Account` is empty,
    /// [`ErrorCode::BadToAccount`] when it is not an Array of Strings, [`ErrorCode::TooManyTargets`], or
    /// [`ErrorCode::BadFormat`] for `IsNeedDetail`.
    pub fn parse(body: &'a [u8]) -> Result<Query<'a>, Failure> {
        let members: Members<'a> = lenient::body(body).map_err(|_| ErrorCode::BadJson)?;
        Ok(Query {
            users: users(members.users)?,
            detail: members.detail.flag().map_err(|_| bad_format("IsNeedDetail", "0 or 1"))?,
        })
    }
}

impl Status {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Online => "Online",
            Status::PushOnline => "PushOnline",
            Status::Offline => "Offline",
        }
    }
}

impl Statuses<'_> {
    /// The body of the answer to `query_online_status`: a failure, with the same lists, when none of the users exist.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = self.begin();
        let out = &mut bytes;
        json::array(out, self.users, |out, user| {
            write_json!(
                out,
                r#"{"To_Account":"#,
                string(user.user_id),
                r#","Status":"#,
                string(user.status.as_str()),
            );
            if self.detail && user.status != Status::Offline {
                write_json!(out, r#","Detail":"#);
                json::array(out, user.platforms, |out, platform| platform.write(out));
            }
            out.push(b'}');
        });
        write_json!(out, r#","ErrorList":"#);
        error_list(out, "To_Account", self.failed);
        out.push(b'}');
        bytes
    }

    /// The body of the answer to `querystate`, which has neither platforms nor a list of those that do not exist.
    pub fn to_old_json(&self) -> Vec<u8> {
        let mut bytes = self.begin();
        let out = &mut bytes;
        json::array(out, self.users, |out, user| {
            write_json!(
                out,
                r#"{"To_Account":"#,
                string(user.user_id),
                r#","State":"#,
                string(user.status.as_str()),
                "}",
            );
        });
        out.push(b'}');
        bytes
    }

    fn begin(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128 + 64 * (self.users.len() + self.failed.len()));
        let out = &mut bytes;
        if self.users.is_empty() {
            fail_and(out, &ErrorCode::AccountNotFound.into());
            out.push(b',');
        } else {
            json::raw(out, OK_AND.as_bytes());
        }
        json::raw(out, br#""QueryResult":"#);
        bytes
    }
}

impl PlatformStatus {
    fn write(&self, out: &mut Vec<u8>) {
        let platform = match self.platform {
            OptPlatform::Ios => "iPhone",
            OptPlatform::Windows => "PC",
            platform => platform.as_str(),
        };
        write_json!(
            out,
            r#"{"Platform":"#,
            string(platform),
            r#","Status":"#,
            string(self.status.as_str()),
            "}",
        );
    }
}

fn users(slot: Slot<'_>) -> Result<Vec<Cow<'_, str>>, Failure> {
    let wanted = "To_Account must be an Array of Strings";
    let items = slot.array().ok().flatten().ok_or_else(|| ErrorCode::BadToAccount.with(wanted))?;
    match items.len() {
        0 => return Err(ErrorCode::BadJson.with("To_Account is empty")),
        1..=TARGETS_PER_CALL_MAX => {}
        _ => return Err(ErrorCode::TooManyTargets.into()),
    }
    strings(items).map_err(|_| ErrorCode::BadToAccount.with(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let many = |count: usize| format!("\"To_Account\":[{}]", vec!["\"ada\""; count].join(","));
        let table = [
            (r#""x":1"#.to_owned(), Ok((2, false))),
            (r#""IsNeedDetail":1"#.into(), Ok((2, true))),
            (r#""IsNeedDetail":0"#.into(), Ok((2, false))),
            (r#""IsNeedDetail":2"#.into(), Err(90010)),
            (many(1), Ok((1, false))),
            (many(500), Ok((500, false))),
            (many(501), Err(90011)),
            (r#""To_Account":["","123456789012345678901234567890123"]"#.into(), Ok((2, false))),
            (r#""To_Account":[]"#.into(), Err(90001)),
            (r#""To_Account":null"#.into(), Err(90003)),
            (r#""To_Account":"ada""#.into(), Err(90003)),
            (r#""To_Account":["ada",7]"#.into(), Err(90003)),
            (r#""To_Account":["ada",null]"#.into(), Err(90003)),
        ];
        for (member, expected) in table {
            let body = format!(r#"{{"To_Account":["ada","bo"],{member}}}"#);
            let request = Query::parse(body.as_bytes());
            let seen = request.as_ref().map(|request| (request.users.len(), request.detail));
            assert_eq!(seen.map_err(|failure| failure.code), expected, "{member}");
        }
        assert_eq!(Query::parse(br#"{"To_Account":["ada","bo"]}"#).unwrap().users, ["ada", "bo"]);
        assert_eq!(Query::parse(b"").unwrap_err().code, 90001);
        assert_eq!(Query::parse(b"{}").unwrap_err().code, 90003);
    }

    #[test]
    fn answers() {
        let on = |platform, status| PlatformStatus { platform, status };
        let online = [on(OptPlatform::Web, Status::Online), on(OptPlatform::Ios, Status::PushOnline)];
        let push = [OptPlatform::Android, OptPlatform::Windows, OptPlatform::Ipad, OptPlatform::Mac]
            .map(|platform| on(platform, Status::PushOnline));
        let users = [
            UserStatus { user_id: "ada", status: Status::Online, platforms: &online },
            UserStatus { user_id: "b\"o", status: Status::PushOnline, platforms: &push },
            UserStatus { user_id: "cy", status: Status::Offline, platforms: &[] },
        ];
        let failed = [FailedAccount { user_id: "nobody", code: 70107 }];
        let text = |json| String::from_utf8(json).unwrap();

        let plain = Statuses { detail: false, users: &users, failed: &failed };
        insta::assert_snapshot!(text(plain.to_json()), @r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","QueryResult":[{"To_Account":"ada","Status":"Online"},{"To_Account":"b\"o","Status":"PushOnline"},{"To_Account":"cy","Status":"Offline"}],"ErrorList":[{"To_Account":"nobody","ErrorCode":70107}]}"#);
        insta::assert_snapshot!(text(plain.to_old_json()), @r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","QueryResult":[{"To_Account":"ada","State":"Online"},{"To_Account":"b\"o","State":"PushOnline"},{"To_Account":"cy","State":"Offline"}]}"#);
        let detailed = Statuses { detail: true, users: &users, failed: &[] };
        insta::assert_snapshot!(text(detailed.to_json()), @r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","QueryResult":[{"To_Account":"ada","Status":"Online","Detail":[{"Platform":"Web","Status":"Online"},{"Platform":"iPhone","Status":"PushOnline"}]},{"To_Account":"b\"o","Status":"PushOnline","Detail":[{"Platform":"Android","Status":"PushOnline"},{"Platform":"PC","Status":"PushOnline"},{"Platform":"iPad","Status":"PushOnline"},{"Platform":"Mac","Status":"PushOnline"}]},{"To_Account":"cy","Status":"Offline"}],"ErrorList":[]}"#);
        assert_eq!(detailed.to_old_json(), Statuses { failed: &[], ..plain }.to_old_json());

        let nobody = Statuses { detail: true, users: &[], failed: &failed };
        insta::assert_snapshot!(text(nobody.to_json()), @r#"{"ActionStatus":"FAIL","ErrorCode":70107,"ErrorInfo":"Err_TLS_PT_Open_Login_Account_Not_Exist","QueryResult":[],"ErrorList":[{"To_Account":"nobody","ErrorCode":70107}]}"#);
        insta::assert_snapshot!(text(nobody.to_old_json()), @r#"{"ActionStatus":"FAIL","ErrorCode":70107,"ErrorInfo":"Err_TLS_PT_Open_Login_Account_Not_Exist","QueryResult":[]}"#);
    }
}
