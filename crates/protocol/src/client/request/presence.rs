//! What a device asks about who is online.

use std::borrow::Cow;

use super::{members_of, users, wrong};
use crate::{
    code::{ErrorCode, Failure},
    lenient::slots,
    limits::{CUSTOM_STATUS_LEN_MAX, SUBSCRIPTIONS_PER_CALL_MAX, TARGETS_PER_CALL_MAX},
};

/// What a device asks about who is online.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PresenceRequest<'a> {
    /// `status`: who of these users can be reached?
    Status {
        /// `users`: 1 to 500.
        users: Vec<Cow<'a, str>>,
    },
    /// `set_status`: what the user says of themself while online.
    SetStatus {
        /// `custom`: at most 64 bytes; empty says nothing any more.
        custom: Cow<'a, str>,
    },
    /// `subscribe`: as `status`, and be pushed what changes.
    Subscribe {
        /// `users`: 1 to 100.
        users: Vec<Cow<'a, str>>,
    },
    /// `unsubscribe`.
    Unsubscribe {
        /// `users`: 1 to 100; left out, everybody.
        users: Option<Vec<Cow<'a, str>>>,
    },
}

slots! {
    struct Members {
        users: "users",
        custom: "custom",
    }
}

/// Reads the frame if the operation is one of this area.
pub(super) fn parse<'a>(op: &str, text: &'a str) -> Option<Result<PresenceRequest<'a>, Failure>> {
    type Read = for<'m> fn(&Members<'m>) -> Result<PresenceRequest<'m>, Failure>;
    let read: Read = match op {
        "status" => status,
        "set_status" => set_status,
        "subscribe" => subscribe,
        "unsubscribe" => unsubscribe,
        _ => return None,
    };
    Some(members_of(text).and_then(|members| read(&members)))
}

fn status<'a>(members: &Members<'a>) -> Result<PresenceRequest<'a>, Failure> {
    let users = users(members.users, "users", TARGETS_PER_CALL_MAX).map_err(|failure| {
        // REST has a code for the same limit.
        if failure.code == ErrorCode::ListTooLong.number() {
            ErrorCode::TooManyTargets.with(failure.info)
        } else {
            failure
        }
    })?;
    Ok(PresenceRequest::Status { users })
}

fn set_status<'a>(members: &Members<'a>) -> Result<PresenceRequest<'a>, Failure> {
    let custom = members.custom.string().map_err(|_| wrong("custom"))?.unwrap_or_default();
    if custom.len() > CUSTOM_STATUS_LEN_MAX {
        let info = format!("custom has more than {CUSTOM_STATUS_LEN_MAX} bytes");
        return Err(ErrorCode::FrameNotUnderstood.with(info));
    }
    Ok(PresenceRequest::SetStatus { custom })
}

fn subscribe<'a>(members: &Members<'a>) -> Result<PresenceRequest<'a>, Failure> {
    Ok(PresenceRequest::Subscribe { users: watched(members)? })
}

fn unsubscribe<'a>(members: &Members<'a>) -> Result<PresenceRequest<'a>, Failure> {
    let users = if members.users.is_absent() { None } else { Some(watched(members)?) };
    Ok(PresenceRequest::Unsubscribe { users })
}

fn watched<'a>(members: &Members<'a>) -> Result<Vec<Cow<'a, str>>, Failure> {
    users(members.users, "users", SUBSCRIPTIONS_PER_CALL_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(op: &str, members: &str) -> Result<PresenceRequest<'static>, u32> {
        parse(op, format!("{{{members}}}").leak()).expect("one of this area").map_err(|failure| failure.code)
    }

    fn many(count: usize) -> String {
        format!(r#""users":[{}]"#, vec![r#""bo""#; count].join(","))
    }

    #[test]
    fn everything_that_can_be_asked() {
        let users: Vec<Cow<'_, str>> = vec!["bo".into(), "cy".into()];
        let named = r#""users":["bo","cy"]"#;
        assert_eq!(request("status", named), Ok(PresenceRequest::Status { users: users.clone() }));
        assert_eq!(request("subscribe", named), Ok(PresenceRequest::Subscribe { users: users.clone() }));
        let some = PresenceRequest::Unsubscribe { users: Some(users) };
        assert_eq!(request("unsubscribe", named), Ok(some));
        for all in ["", r#""users":null"#] {
            assert_eq!(request("unsubscribe", all), Ok(PresenceRequest::Unsubscribe { users: None }));
        }
        let set = |custom: &str| Ok(PresenceRequest::SetStatus { custom: custom.to_owned().into() });
        assert_eq!(request("set_status", r#""custom":"busy""#), set("busy"));
        assert_eq!(request("set_status", r#""custom":"""#), set(""));
        assert_eq!(request("set_status", ""), set(""));
        let longest = "é".repeat(32);
        assert_eq!(request("set_status", &format!(r#""custom":"{longest}""#)), set(&longest));
        assert!(request("status", &many(500)).is_ok() && request("subscribe", &many(100)).is_ok());
    }

    #[test]
    fn refusals() {
        for (op, members, code) in [
            ("status", String::new(), 11002),
            ("status", r#""users":"bo""#.to_owned(), 11002),
            ("status", r#""users":[]"#.to_owned(), 11002),
            ("status", r#""users":["bo",""]"#.to_owned(), 90003),
            ("status", many(501), 90011),
            ("subscribe", many(101), 11005),
            ("subscribe", r#""users":[7]"#.to_owned(), 90003),
            ("unsubscribe", many(101), 11005),
            ("unsubscribe", r#""users":[]"#.to_owned(), 11002),
            ("set_status", format!(r#""custom":"{}""#, "a".repeat(65)), 11002),
            ("set_status", r#""custom":{}"#.to_owned(), 11002),
        ] {
            assert_eq!(request(op, &members), Err(code), "{op} {members}");
        }
    }
}
