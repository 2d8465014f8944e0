//! What a device asks about push to itself, for when it is not connected.

use std::borrow::Cow;

use super::{device_of, members_of, required_text, text, wrong};
use crate::{
    code::{ErrorCode, Failure},
    lenient::slots,
    limits::PUSH_TOKEN_LEN_MAX,
};

/// What a device asks about push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRequest<'a> {
    /// `set_push_token`: push reaches this device by a token.
    Set(SetPushToken<'a>),
    /// `drop_push_token`: push does not reach this device any more.
    Drop {
        /// `device`; the `device_id` of `connect` when absent.
        device: Option<Cow<'a, str>>,
    },
}

/// `set_push_token`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetPushToken<'a> {
    /// `provider`.
    pub provider: Carrier,
    /// `token`: as the carrier gave it to the app, 1 to 256 bytes.
    pub token: Cow<'a, str>,
    /// `device`; the `device_id` of `connect` when absent.
    pub device: Option<Cow<'a, str>>,
}

/// Who carries push to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// Firebase Cloud Messaging.
    Fcm,
    /// Apple Push Notification service.
    Apns,
}

impl Carrier {
    /// All of them.
    pub const ALL: [Carrier; 2] = [Carrier::Fcm, Carrier::Apns];

    /// Its word on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Carrier::Fcm => "fcm",
            Carrier::Apns => "apns",
        }
    }
}

slots! {
    struct Members {
        provider: "provider",
        token: "token",
        device: "device",
    }
}

/// Reads the frame if the operation is one of this area.
pub(super) fn parse<'a>(op: &str, text: &'a str) -> Option<Result<TokenRequest<'a>, Failure>> {
    type Read = for<'m> fn(&Members<'m>) -> Result<TokenRequest<'m>, Failure>;
    let read: Read = match op {
        "set_push_token" => set,
        "drop_push_token" => drop_token,
        _ => return None,
    };
    Some(members_of(text).and_then(|members| read(&members)))
}

fn set<'a>(members: &Members<'a>) -> Result<TokenRequest<'a>, Failure> {
    let provider = required_text(members.provider, "provider")?;
    let provider = Carrier::ALL.into_iter().find(|carrier| carrier.name() == provider);
    let provider = provider.ok_or_else(|| wrong("provider"))?;
    let token = text(members.token, "token")?.unwrap_or_default();
    if token.is_empty() {
        return Err(ErrorCode::PushTokenEmpty.into());
    }
    if token.len() > PUSH_TOKEN_LEN_MAX {
        return Err(ErrorCode::PushTokenTooLong.into());
    }
    let device = device_of(members.device, "device")?;
    Ok(TokenRequest::Set(SetPushToken { provider, token, device }))
}

fn drop_token<'a>(members: &Members<'a>) -> Result<TokenRequest<'a>, Failure> {
    Ok(TokenRequest::Drop { device: device_of(members.device, "device")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(op: &str, members: &str) -> Result<TokenRequest<'static>, u32> {
        parse(op, format!("{{{members}}}").leak()).expect("one of this area").map_err(|failure| failure.code)
    }

    #[test]
    fn tokens() {
        let set = |provider, token: &str, device: Option<&str>| {
            let device = device.map(|device| device.to_owned().into());
            Ok(TokenRequest::Set(SetPushToken { provider, token: token.to_owned().into(), device }))
        };
        assert_eq!(
            request("set_push_token", r#""provider":"fcm","token":"t""#),
            set(Carrier::Fcm, "t", None)
        );
        let longest = "t".repeat(256);
        let members = format!(r#""provider":"apns","token":"{longest}","device":"d""#);
        assert_eq!(request("set_push_token", &members), set(Carrier::Apns, &longest, Some("d")));
        assert_eq!(request("drop_push_token", ""), Ok(TokenRequest::Drop { device: None }));
        let device = Some("d".into());
        assert_eq!(request("drop_push_token", r#""device":"d""#), Ok(TokenRequest::Drop { device }));
    }

    #[test]
    fn refusals() {
        for (op, members, code) in [
            ("set_push_token", r#""token":"t""#.to_owned(), 11002),
            ("set_push_token", r#""provider":"FCM","token":"t""#.to_owned(), 11002),
            ("set_push_token", r#""provider":"fcm""#.to_owned(), 22003),
            ("set_push_token", r#""provider":"fcm","token":"""#.to_owned(), 22003),
            ("set_push_token", r#""provider":"fcm","token":7"#.to_owned(), 11002),
            ("set_push_token", format!(r#""provider":"fcm","token":"{}""#, "t".repeat(257)), 22004),
            ("set_push_token", r#""provider":"fcm","token":"t","device":"""#.to_owned(), 11002),
            ("drop_push_token", format!(r#""device":"{}""#, "d".repeat(65)), 11002),
        ] {
            assert_eq!(request(op, &members), Err(code), "{op} {members}");
        }
    }
}
