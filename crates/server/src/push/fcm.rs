//! Firebase Cloud Messaging, over its HTTP v1 API.

use super::answer::{Outcome, failure};
use super::notice::{Notice, fitted};
use super::sign::SigningKey;
use super::token::{Access, Fresh};
use crate::address;
use crate::config::{self, PrivateAddresses};
use crate::outgoing::{CallError, Outgoing, Reply, Room};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt;

/// What the carrier takes, names and texts together.
const PAYLOAD_BYTES_MAX: usize = 4_096;
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const ASSERTION_SECS: u64 = 3_600;
/// An access token is not used for the last minutes of its life: it has to live until the call arrives.
const SPARE_SECS: u64 = 300;
pub(super) const ROOM: Room = Room { answer_bytes_max: 64 * 1024, refusal_bytes_max: 16 * 1024 };

/// A service account, by which the server may send.
pub(super) struct Account {
    project: String,
    email: String,
    key: SigningKey,
    url: String,
    token_url: String,
    /// To see whether the file has changed.
    file: Vec<u8>,
}

// Without the secret.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("project", &self.project).finish_non_exhaustive()
    }
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        (&self.file, &self.url, &self.token_url) == (&other.file, &other.url, &other.token_url)
    }
}

impl Account {
    pub(super) fn read(declared: &config::Fcm, private: PrivateAddresses) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct File {
            project_id: String,
            client_email: String,
            private_key: String,
            token_uri: String,
        }
        let path = declared.service_account.display();
        let unusable = |why: String| format!("service_account {path}: {why}");
        let file = std::fs::read(&declared.service_account).map_err(|error| unusable(error.to_string()))?;
        // What the parser says may repeat what stands there.
        let File { project_id, client_email, private_key, token_uri } = serde_json::from_slice(&file)
            .map_err(|_| unusable("it is no key file of a service account".to_owned()))?;
        let token_url = if declared.token_url.is_empty() { token_uri } else { declared.token_url.clone() };
        let url = declared.url.trim_end_matches('/').to_owned();
        address::check_url("url", &url, private)?;
        address::check_url("token_url", &token_url, private)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        if project_id.is_empty() || !project_id.chars().all(is_name) {
            return Err(unusable("project_id is no name of a project".to_owned()));
        }
        let key = SigningKey::rsa(&private_key).map_err(|why| unusable(format!("private_key: {why}")))?;
        Ok(Self { project: project_id, email: client_email, key, url, token_url, file })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Asks for an access token.
    pub(super) async fn access(
        &self,
        outgoing: &Outgoing,
        timeout_ms: u64,
        now_ms: u64,
    ) -> Result<Fresh, Outcome> {
        #[derive(Deserialize)]
        struct Granted {
            access_token: String,
            #[serde(default)]
            expires_in: u64,
        }
        let now_s = now_ms / 1000;
        let claims = json!({
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.token_url,
            "iat": now_s,
            "exp": now_s + ASSERTION_SECS,
        });
        let assertion = self.key.token(None, &claims);
        // Both have only characters that mean themselves there.
        let form =
            format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}");
        let request = Request::post(&self.token_url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form)))
            .expect("the URL was checked when it was configured");
        let reply = outgoing
            .call(request, timeout_ms, ROOM, || now_ms)
            .await
            .map_err(|error| Outcome::unanswered(&error, 0))?;
        let status = reply.status.as_u16();
        match (status, serde_json::from_slice::<Granted>(&reply.body)) {
            (200, Ok(Granted { access_token, expires_in })) => {
                let until_s = now_s + expires_in.saturating_sub(SPARE_SECS);
                Ok(Fresh { text: access_token, until_s })
            }
            (400..=407 | 409..=428, _) => {
                // Without the answer, which may hold what was asked with.
                let mut refused = failure(&reply, "to a request for an access token", 0);
                refused.answer.clear();
                Err(Outcome::Stranger(refused))
            }
            _ => {
                let mut outcome = Outcome::refused(&reply, "to a request for an access token", 0);
                if let Outcome::Failed { failure, .. } = &mut outcome {
                    failure.answer.clear();
                }
                Err(outcome)
            }
        }
    }

    /// The request for one device. `None`: it cannot be made short enough.
    pub(super) fn request(
        &self,
        notice: &Notice,
        token: &str,
        access: &Access,
        ttl_secs: u64,
    ) -> Option<Request<Full<Bytes>>> {
        let payload = payload(notice, token, ttl_secs)?;
        let request = Request::post(format!("{}/v1/projects/{}/messages:send", self.url, self.project))
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, access.header())
            .body(Full::new(Bytes::from(payload)));
        Some(request.expect("the URL was checked when it was configured"))
    }
}

fn payload(notice: &Notice, token: &str, ttl_secs: u64) -> Option<Vec<u8>> {
    let Notice { key, sender, title, ext, android, .. } = notice;
    let mut data = json!({ "sender": sender, "message_key": key });
    if let Some(ext) = ext {
        data["ext"] = ext.as_str().into();
    }
    let mut shown = json!({
        "sound": android.sound.as_deref().unwrap_or("default"),
        // A second notice of the same message takes the place of the first.
        "tag": key,
    });
    if let Some(channel) = &android.channel {
        shown["channel_id"] = channel.as_str().into();
    }
    let with_text = |text: &str| {
        let mut notification = json!({ "body": text });
        if let Some(title) = title {
            notification["title"] = title.as_str().into();
        }
        if let Some(image) = &android.image {
            notification["image"] = image.as_str().into();
        }
        let message = json!({
            "token": token,
            "notification": notification,
            "data": data,
            "android": { "priority": "high", "ttl": format!("{ttl_secs}s"), "notification": shown },
        });
        json!({ "message": message }).to_string().into_bytes()
    };
    fitted(&notice.text, PAYLOAD_BYTES_MAX, with_text)
}

/// What an answer means.
pub(super) fn outcome(result: &Result<Reply, CallError>, latency_ms: u64) -> Outcome {
    let reply = match result {
        Ok(reply) => reply,
        Err(error) => return Outcome::unanswered(error, latency_ms),
    };
    let why = why(&reply.body);
    match (reply.status.as_u16(), why.as_str()) {
        (200, _) => Outcome::Sent,
        // The token of an app that is no longer there, or of another project's.
        (404, "UNREGISTERED") | (403, "SENDER_ID_MISMATCH") => Outcome::Gone { at_ms: None },
        (400, _) if blames_token(&reply.body) => Outcome::Gone { at_ms: None },
        (401 | 403, _) => Outcome::Stranger(failure(reply, &why, latency_ms)),
        _ => Outcome::refused(reply, &why, latency_ms),
    }
}

/// The carrier's own word, or else the general one.
fn why(body: &[u8]) -> String {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = &answer["error"];
    let details = error["details"].as_array().map(Vec::as_slice).unwrap_or_default();
    let own = details.iter().find_map(|detail| detail["errorCode"].as_str());
    own.or_else(|| error["status"].as_str()).unwrap_or_default().to_owned()
}

/// Whether it is the token that is no token.
fn blames_token(body: &[u8]) -> bool {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let details = answer["error"]["details"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut violations =
        details.iter().flat_map(|detail| detail["fieldViolations"].as_array().into_iter().flatten());
    violations.any(|violation| violation["field"] == "message.token")
}

#[cfg(test)]
mod tests {
    use super::super::notice::Android;
    use super::*;
    use chat::dispatch::FailureKind;
    use hyper::StatusCode;

    #[test]
    fn answers_as_a_table() {
        let gone = Outcome::Gone { at_ms: None }.name();
        let own = |status: &str, code: &str| {
            format!(r#"{{"error":{{"status":"{status}","details":[{{"errorCode":"{code}"}}]}}}}"#)
        };
        let bad_token = r#"{"error":{"status":"INVALID_ARGUMENT","details":[
            {"fieldViolations":[{"field":"message.token","description":"Invalid registration token"}]}]}}"#;
        for (status, body, expected) in [
            (200, r#"{"name":"projects/p/messages/1"}"#.to_owned(), "sent"),
            (404, own("NOT_FOUND", "UNREGISTERED"), gone),
            (404, own("NOT_FOUND", ""), "refused"),
            (400, own("INVALID_ARGUMENT", "INVALID_ARGUMENT"), "refused"),
            (400, bad_token.to_owned(), gone),
            (403, own("PERMISSION_DENIED", "SENDER_ID_MISMATCH"), gone),
            (403, own("PERMISSION_DENIED", ""), "stranger"),
            (401, String::new(), "stranger"),
            (429, own("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), "failed"),
            (503, own("UNAVAILABLE", "UNAVAILABLE"), "failed"),
            (302, String::new(), "failed"),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let reply = Reply { status, retry_after_ms: None, body: Bytes::from(body.clone()) };
            assert_eq!(outcome(&Ok(reply), 1).name(), expected, "{status} {body}");
        }
        let late = Reply {
            status: StatusCode::SERVICE_UNAVAILABLE,
            retry_after_ms: Some(9_000),
            body: Bytes::from(own("UNAVAILABLE", "UNAVAILABLE")),
        };
        let Outcome::Failed { kind, failure } = outcome(&Ok(late), 5) else { panic!("it failed") };
        assert_eq!(kind, FailureKind::Passing { after_ms: Some(9_000) });
        assert_eq!((failure.words.as_str(), failure.latency_ms), ("answered 503 UNAVAILABLE", 5));
    }

    #[test]
    fn the_payload_to_the_letter() {
        let notice = Notice {
            key: "7_9_1767000000".to_owned(),
            sender: "ana".to_owned(),
            title: Some("Shop".to_owned()),
            text: "lunch?".to_owned(),
            ext: Some("e".to_owned()),
            android: Android { sound: None, channel: Some("chat".to_owned()), image: None },
            ..Notice::default()
        };
        let payload = payload(&notice, "a-token", 86_400).unwrap();
        let expected = concat!(
            r#"{"message":{"android":{"notification":{"channel_id":"chat","sound":"default","#,
            r#""tag":"7_9_1767000000"},"priority":"high","ttl":"86400s"},"#,
            r#""data":{"ext":"e","message_key":"7_9_1767000000","sender":"ana"},"#,
            r#""notification":{"body":"lunch?","title":"Shop"},"token":"a-token"}}"#
        );
        assert_eq!(String::from_utf8(payload).unwrap(), expected);
        let long = Notice { text: "é".repeat(5_000), ..notice.clone() };
        let payload = super::payload(&long, "a-token", 1).unwrap();
        assert!((4_094..=4_096).contains(&payload.len()), "{}", payload.len());
        let hopeless = Notice { ext: Some("e".repeat(4_096)), ..notice };
        assert_eq!(super::payload(&hopeless, "a-token", 1), None);
    }
}
