//! Apple Push Notification service, over HTTP/2 and with tokens.

use super::answer::{Outcome, failure};
use super::notice::{Notice, fitted};
use super::sign::SigningKey;
use super::token::{Access, Fresh};
use crate::address;
use crate::config::{self, PrivateAddresses};
use crate::outgoing::{CallError, Reply};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fmt;

const PAYLOAD_BYTES_MAX: usize = 4_096;
/// The carrier takes a token for an hour.
const TOKEN_SECS: u64 = 3_000;
/// And another one no sooner than after twenty minutes.
pub(super) const TOKEN_SECS_MIN: u64 = 1_200;
/// Longest name of a notice that takes another one's place.
const COLLAPSE_BYTES_MAX: usize = 64;

/// The key of a team, for one of its apps.
pub(super) struct Key {
    key: SigningKey,
    declared: config::Apns,
    url: String,
    /// To see whether the file has changed.
    file: String,
}

// Without the secret.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("topic", &self.declared.topic).finish_non_exhaustive()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        (&self.file, &self.declared) == (&other.file, &other.declared)
    }
}

impl Key {
    pub(super) fn read(declared: &config::Apns, private: PrivateAddresses) -> Result<Self, String> {
        let path = declared.key.display();
        let unusable = |why: String| format!("key {path}: {why}");
        let file = std::fs::read_to_string(&declared.key).map_err(|error| unusable(error.to_string()))?;
        for (name, value) in
            [("key_id", &declared.key_id), ("team_id", &declared.team_id), ("topic", &declared.topic)]
        {
            if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(format!("{name} must be letters and digits as Apple shows them"));
            }
        }
        let url = match (declared.url.trim_end_matches('/'), declared.sandbox) {
            ("", false) => "https://api.push.apple.com",
            ("", true) => "https://api.sandbox.push.apple.com",
            (url, _) => url,
        };
        let url = url.to_owned();
        address::check_url("url", &url, private)?;
        let key = SigningKey::ecdsa(&file).map_err(unusable)?;
        Ok(Self { key, declared: declared.clone(), url, file })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Makes a token.
    pub(super) fn access(&self, now_s: u64) -> Fresh {
        let claims = json!({ "iss": self.declared.team_id, "iat": now_s });
        Fresh { text: self.key.token(Some(&self.declared.key_id), &claims), until_s: now_s + TOKEN_SECS }
    }

    /// The request for one device. `name`: the same for the same notice. `None`: it cannot be made short enough, or
    /// the token is none.
    pub(super) fn request(
        &self,
        notice: &Notice,
        token: &str,
        access: &Access,
        (name, until_s): (&str, u64),
    ) -> Option<Request<Full<Bytes>>> {
        let payload = payload(notice)?;
        let (kind, priority) = if notice.apple.silent { ("background", "5") } else { ("alert", "10") };
        let mut request = Request::post(format!("{}/3/device/{token}", self.url))
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, access.header())
            .header("apns-topic", &self.declared.topic)
            .header("apns-push-type", kind)
            .header("apns-priority", priority)
            .header("apns-expiration", until_s)
            .header("apns-id", uuid(name));
        if notice.key.len() <= COLLAPSE_BYTES_MAX {
            request = request.header("apns-collapse-id", &notice.key);
        }
        request.body(Full::new(Bytes::from(payload))).ok()
    }
}

fn payload(notice: &Notice) -> Option<Vec<u8>> {
    let Notice { key, sender, ext, apple, badge, .. } = notice;
    let mut aps = json!({});
    if apple.silent {
        aps["content-available"] = 1.into();
    } else {
        aps["sound"] = apple.sound.as_deref().unwrap_or("default").into();
        aps["thread-id"] = sender.as_str().into();
    }
    if !apple.keeps_badge {
        aps["badge"] = (*badge).into();
    }
    if apple.mutable {
        aps["mutable-content"] = 1.into();
    }
    if let Some(level) = &apple.interruption_level {
        aps["interruption-level"] = level.as_str().into();
    }
    let mut whole = json!({ "sender": sender, "message_key": key });
    for (name, value) in [("ext", ext), ("image", &apple.image)] {
        if let Some(value) = value {
            whole[name] = value.as_str().into();
        }
    }
    let with_text = |text: &str| {
        let mut aps = aps.clone();
        if !apple.silent {
            let mut alert = json!({ "body": text });
            let title = apple.title.as_ref().or(notice.title.as_ref());
            for (name, value) in [("title", title), ("subtitle", apple.subtitle.as_ref())] {
                if let Some(value) = value {
                    alert[name] = value.as_str().into();
                }
            }
            aps["alert"] = alert;
        }
        let mut whole = whole.clone();
        whole["aps"] = aps;
        whole.to_string().into_bytes()
    };
    fitted(&notice.text, PAYLOAD_BYTES_MAX, with_text)
}

/// What an answer means.
pub(super) fn outcome(result: &Result<Reply, CallError>, latency_ms: u64) -> Outcome {
    #[derive(Deserialize, Default)]
    struct Refusal {
        #[serde(default)]
        reason: String,
        /// Since when the carrier knows that the app is gone.
        timestamp: Option<u64>,
    }
    let reply = match result {
        Ok(reply) => reply,
        Err(error) => return Outcome::unanswered(error, latency_ms),
    };
    let Refusal { reason, timestamp } = serde_json::from_slice(&reply.body).unwrap_or_default();
    match (reply.status.as_u16(), reason.as_str()) {
        (200, _) => Outcome::Sent,
        (410, _) => Outcome::Gone { at_ms: timestamp },
        (400, "BadDeviceToken" | "DeviceTokenNotForTopic") => Outcome::Gone { at_ms: None },
        (413, _) => Outcome::TooLarge,
        (401 | 403, _) => Outcome::Stranger(failure(reply, &reason, latency_ms)),
        _ => Outcome::refused(reply, &reason, latency_ms),
    }
}

/// A name in the form that the carrier wants.
fn uuid(name: &str) -> String {
    let hash = Sha256::digest(name);
    let number = u128::from_be_bytes(hash[..16].try_into().expect("a hash has more bytes"));
    let hex = format!("{number:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::super::notice::Apple;
    use super::*;
    use hyper::StatusCode;

    #[test]
    fn answers_as_a_table() {
        for (status, body, expected) in [
            (200, "", "sent"),
            (410, r#"{"reason":"Unregistered","timestamp":1767000000000}"#, "gone"),
            (400, r#"{"reason":"BadDeviceToken"}"#, "gone"),
            (400, r#"{"reason":"DeviceTokenNotForTopic"}"#, "gone"),
            (400, r#"{"reason":"BadTopic"}"#, "refused"),
            (403, r#"{"reason":"ExpiredProviderToken"}"#, "stranger"),
            (403, r#"{"reason":"InvalidProviderToken"}"#, "stranger"),
            (413, r#"{"reason":"PayloadTooLarge"}"#, "too_large"),
            (429, r#"{"reason":"TooManyRequests"}"#, "failed"),
            (500, r#"{"reason":"InternalServerError"}"#, "failed"),
            (503, "no JSON", "failed"),
        ] {
            let reply = Reply {
                status: StatusCode::from_u16(status).unwrap(),
                retry_after_ms: None,
                body: Bytes::from_static(body.as_bytes()),
            };
            let outcome = outcome(&Ok(reply), 1);
            assert_eq!(outcome.name(), expected, "{status} {body}");
            if status == 410 {
                assert_eq!(outcome, Outcome::Gone { at_ms: Some(1_767_000_000_000) });
            }
        }
    }

    #[test]
    fn the_payload_to_the_letter() {
        let notice = Notice {
            key: "7_9_1767000000".to_owned(),
            sender: "ana".to_owned(),
            text: "Ana: lunch?".to_owned(),
            badge: 3,
            ..Notice::default()
        };
        let text = |notice: &Notice| String::from_utf8(payload(notice).unwrap()).unwrap();
        let plain = concat!(
            r#"{"aps":{"alert":{"body":"Ana: lunch?"},"badge":3,"sound":"default","thread-id":"ana"},"#,
            r#""message_key":"7_9_1767000000","sender":"ana"}"#
        );
        assert_eq!(text(&notice), plain);
        let apple = Apple {
            sound: Some("t.caf".to_owned()),
            title: Some("T".to_owned()),
            subtitle: Some("S".to_owned()),
            image: Some("i".to_owned()),
            keeps_badge: true,
            mutable: true,
            silent: false,
            interruption_level: Some("passive".to_owned()),
        };
        let rich = Notice { title: Some("not this".to_owned()), apple, ..notice.clone() };
        let expected = concat!(
            r#"{"aps":{"alert":{"body":"Ana: lunch?","subtitle":"S","title":"T"},"interruption-level":"passive","#,
            r#""mutable-content":1,"sound":"t.caf","thread-id":"ana"},"#,
            r#""image":"i","message_key":"7_9_1767000000","sender":"ana"}"#
        );
        assert_eq!(text(&rich), expected);
        let silent = Notice { apple: Apple { silent: true, ..Apple::default() }, ..notice.clone() };
        let expected = concat!(
            r#"{"aps":{"badge":3,"content-available":1},"#,
            r#""message_key":"7_9_1767000000","sender":"ana"}"#
        );
        assert_eq!(text(&silent), expected);
        let long = Notice { text: "字".repeat(5_000), ..notice.clone() };
        assert!((4_093..=4_096).contains(&text(&long).len()), "{}", text(&long).len());
        let hopeless = Notice { ext: Some("e".repeat(4_096)), ..notice };
        assert_eq!(payload(&hopeless), None);
    }

    #[test]
    fn the_same_notice_has_the_same_name() {
        assert_eq!(uuid("evt_1 token"), uuid("evt_1 token"));
        assert_ne!(uuid("evt_1 token"), uuid("evt_2 token"));
        assert_eq!(uuid("").len(), 36);
    }
}
