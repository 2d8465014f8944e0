//! The URL of a callback: parameters added to the configured one, and the compatible signature.

use std::{borrow::Cow, hint};

use sha2::{Digest, Sha256};

use super::{CallbackCommand, OptPlatform};
use crate::{lenient, limits::SIGN_AGE_SECS_MAX, url};

/// What is added to the configured URL.
#[derive(Debug, Clone, Copy)]
pub struct CallbackQuery<'a> {
    /// The app.
    pub sdkappid: u32,
    /// Which callback it is.
    pub command: CallbackCommand,
    /// The address of the client that caused it, if a client did.
    pub client_ip: Option<&'a str>,
    /// The platform of that client.
    pub platform: Option<OptPlatform>,
    /// The signature, if the app has a token. To be made anew for every attempt: receivers refuse an old one.
    pub sign: Option<Sign<'a>>,
}

/// What the compatible signature is made from. It covers neither the body nor the other parameters.
#[derive(Clone, Copy)]
pub struct Sign<'a> {
    /// The secret that the app's backend shares.
    pub token: &'a str,
    /// The present Unix time.
    pub request_time_s: u64,
}

impl std::fmt::Debug for Sign<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sign").field("request_time_s", &self.request_time_s).finish_non_exhaustive()
    }
}

impl CallbackQuery<'_> {
    /// The URL to post to. A query that the configured URL has is kept, in front; a fragment is dropped.
    pub fn append_to(&self, configured: &str) -> String {
        let base = configured.split_once('#').map_or(configured, |(base, _)| base);
        let mut url = String::with_capacity(base.len() + 240);
        url.push_str(base);
        if !base.contains('?') {
            url.push('?');
        } else if !base.ends_with(['?', '&']) {
            url.push('&');
        }
        url.push_str("SdkAppid=");
        url.push_str(&self.sdkappid.to_string());
        url.push_str("&CallbackCommand=");
        url.push_str(self.command.as_str());
        url.push_str("&contenttype=json");
        if let Some(client_ip) = self.client_ip {
            url.push_str("&ClientIP=");
            url::encode(&mut url, client_ip);
        }
        if let Some(platform) = self.platform {
            url.push_str("&OptPlatform=");
            url.push_str(platform.as_str_for(self.command));
        }
        if let Some(Sign { token, request_time_s }) = self.sign {
            url.push_str("&Sign=");
            url.push_str(&sign(token, request_time_s));
            url.push_str("&RequestTime=");
            url.push_str(&request_time_s.to_string());
        }
        url
    }
}

/// The compatible signature: SHA-256 of the token followed by the decimal time, in lower-case hexadecimal.
pub fn sign(token: &str, request_time_s: u64) -> String {
    let mut hash = Sha256::new();
    hash.update(token);
    hash.update(request_time_s.to_string());
    let mut hex = String::with_capacity(64);
    for byte in hash.finalize() {
        hex.extend([byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])));
    }
    hex
}

/// The parameters of a callback, as a receiver reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedQuery<'a> {
    /// `SdkAppid`; to be compared with one's own.
    pub sdkappid: Option<u32>,
    /// `CallbackCommand`; may be one that this crate does not know.
    pub command: Cow<'a, str>,
    /// `ClientIP`.
    pub client_ip: Option<Cow<'a, str>>,
    /// `OptPlatform`.
    pub platform: Option<Cow<'a, str>>,
    /// `Sign` and `RequestTime`, if both are there.
    pub sign: Option<ReceivedSign<'a>>,
}

/// A signature that came with a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivedSign<'a> {
    /// `Sign`.
    pub sign: &'a str,
    /// `RequestTime`.
    pub request_time_s: u64,
}

impl<'a> ReceivedQuery<'a> {
    /// Parses what stands behind the `?`. A parameter that cannot be decoded counts as absent.
    pub fn parse(query: &'a str) -> Self {
        let mut received =
            ReceivedQuery { sdkappid: None, command: "".into(), client_ip: None, platform: None, sign: None };
        let mut sign = None;
        let mut request_time_s = None;
        for (name, value) in url::pairs(query) {
            match name {
                "SdkAppid" => received.sdkappid = integer(value),
                "CallbackCommand" => received.command = url::decode(value).unwrap_or_default(),
                "ClientIP" => received.client_ip = url::decode(value),
                "OptPlatform" => received.platform = url::decode(value),
                "Sign" => sign = Some(value),
                "RequestTime" => request_time_s = integer(value),
                _ => {}
            }
        }
        if let (Some(sign), Some(request_time_s)) = (sign, request_time_s) {
            received.sign = Some(ReceivedSign { sign, request_time_s });
        }
        received
    }
}

impl ReceivedSign<'_> {
    /// Whether this token made the signature, at most a minute from now. Takes the same time wherever they differ.
    pub fn made_with(&self, token: &str, now_s: u64) -> bool {
        let is_recent = now_s.abs_diff(self.request_time_s) <= SIGN_AGE_SECS_MAX;
        is_recent && equal_in_constant_time(sign(token, self.request_time_s).as_bytes(), self.sign.as_bytes())
    }
}

fn equal_in_constant_time(left: &[u8], right: &[u8]) -> bool {
    // The compiler must not see that one difference is enough.
    let difference =
        left.iter().zip(right).fold(0, |seen, (left, right)| hint::black_box(seen | (left ^ right)));
    left.len() == right.len() && difference == 0
}

fn integer<T: TryFrom<i128>>(value: &str) -> Option<T> {
    lenient::integer(value).and_then(|number| T::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGN: &str = "17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061";
    const TIME_S: u64 = 1_669_872_112;
    const QUERY: CallbackQuery<'_> = CallbackQuery {
        sdkappid: 1_400_000_001,
        command: CallbackCommand::C2cAfterSendMsg,
        client_ip: Some("203.0.113.7"),
        platform: Some(OptPlatform::RestApi),
        sign: None,
    };

    #[test]
    fn parameters_and_their_order() {
        let all = "SdkAppid=1400000001&CallbackCommand=C2C.CallbackAfterSendMsg&contenttype=json&ClientIP=203.0.113.7&OptPlatform=RESTAPI";
        let table = [
            ("http://h/cb", "http://h/cb?"),
            ("http://h/cb?", "http://h/cb?"),
            ("http://h/cb?team=a%20b", "http://h/cb?team=a%20b&"),
            ("http://h/cb?team=a&", "http://h/cb?team=a&"),
            ("http://h/cb?team=a#part", "http://h/cb?team=a&"),
        ];
        for (configured, start) in table {
            assert_eq!(QUERY.append_to(configured), format!("{start}{all}"));
        }
        let signed = CallbackQuery {
            sign: Some(Sign { token: "xxxxyyyy", request_time_s: TIME_S }),
            client_ip: Some("2001:db8::1%eth0"),
            platform: Some(OptPlatform::Ios),
            command: CallbackCommand::StateChange,
            ..QUERY
        };
        let query = signed.append_to("");
        assert_eq!(
            query,
            format!(
                "?SdkAppid=1400000001&CallbackCommand=State.StateChange&contenttype=json&ClientIP=2001:db8::1%25eth0&OptPlatform=IOS&Sign={SIGN}&RequestTime={TIME_S}"
            )
        );
        let received = ReceivedQuery::parse(&query[1..]);
        assert_eq!(received.sdkappid, Some(1_400_000_001));
        assert_eq!(received.command, "State.StateChange");
        assert_eq!(received.client_ip.as_deref(), Some("2001:db8::1%eth0"));
        assert_eq!(received.platform.as_deref(), Some("IOS"));
        assert_eq!(received.sign, Some(ReceivedSign { sign: SIGN, request_time_s: TIME_S }));
        let bare = CallbackQuery { client_ip: None, platform: None, ..QUERY };
        assert!(bare.append_to("").ends_with("&contenttype=json"));
    }

    #[test]
    fn signatures() {
        assert_eq!(sign("xxxxyyyy", TIME_S), SIGN);
        let upper = SIGN.to_uppercase();
        let table = [
            (SIGN, "xxxxyyyy", TIME_S, true),
            (SIGN, "xxxxyyyy", TIME_S + 60, true),
            (SIGN, "xxxxyyyy", TIME_S - 60, true),
            (SIGN, "xxxxyyyy", TIME_S + 61, false),
            (SIGN, "xxxxyyyy", TIME_S - 61, false),
            (SIGN, "xxxxyyyz", TIME_S, false),
            (&SIGN[..63], "xxxxyyyy", TIME_S, false),
            (&upper, "xxxxyyyy", TIME_S, false),
            ("", "xxxxyyyy", TIME_S, false),
        ];
        for (text, token, now_s, valid) in table {
            let received = ReceivedSign { sign: text, request_time_s: TIME_S };
            assert_eq!(received.made_with(token, now_s), valid, "{text} {token} {now_s}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_query_is_read(query in "\\PC*|(SdkAppid|Sign|RequestTime|ClientIP|=|&|%|[0-9]){0,12}") {
            ReceivedQuery::parse(&query);
        }
    }
}
