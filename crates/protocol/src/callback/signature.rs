//! The headers of the Standard Webhooks convention, which sign the body too.

use std::fmt;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_PAD_INDIFFERENT},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Signs callbacks with one secret; cheap to use again and again.
#[derive(Clone)]
pub struct WebhookSigner {
    keyed: Hmac<Sha256>,
}

/// The secret is not base64, or is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadSecret;

impl fmt::Display for BadSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a webhook secret is base64, with or without whsec_ in front")
    }
}

impl std::error::Error for BadSecret {}

/// The three headers, by which a receiver knows the sender and a repetition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookHeaders<'a> {
    /// `webhook-id`: the same in every attempt of an event.
    pub id: &'a str,
    /// `webhook-timestamp`: the Unix time of this attempt, in seconds.
    pub timestamp_s: u64,
    /// `webhook-signature`: `v1,` and a signature; a receiver may see several, with spaces between.
    pub signature: String,
}

impl WebhookHeaders<'_> {
    /// Name of the header with the id.
    pub const ID: &'static str = "webhook-id";
    /// Name of the header with the time.
    pub const TIMESTAMP: &'static str = "webhook-timestamp";
    /// Name of the header with the signature.
    pub const SIGNATURE: &'static str = "webhook-signature";
}

impl WebhookSigner {
    /// Takes a secret as `whsec_` and base64, or base64 alone.
    pub fn new(secret: &str) -> Result<WebhookSigner, BadSecret> {
        let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
        let key = STANDARD_PAD_INDIFFERENT.decode(encoded).map_err(|_| BadSecret)?;
        if key.is_empty() {
            return Err(BadSecret);
        }
        Ok(WebhookSigner { keyed: Hmac::new_from_slice(&key).expect("HMAC takes a key of any length") })
    }

    /// The headers for one attempt.
    pub fn headers<'a>(&self, id: &'a str, timestamp_s: u64, body: &[u8]) -> WebhookHeaders<'a> {
        let mut signature = String::with_capacity(3 + 44);
        signature.push_str("v1,");
        STANDARD.encode_string(self.mac(id, timestamp_s, body).finalize().into_bytes(), &mut signature);
        WebhookHeaders { id, timestamp_s, signature }
    }

    /// Whether one of the received signatures is of this secret. The age of the time is for the caller to judge.
    pub fn verify(&self, received: &WebhookHeaders<'_>, body: &[u8]) -> bool {
        let candidates = received.signature.split(' ').filter_map(|candidate| candidate.strip_prefix("v1,"));
        candidates.filter_map(|encoded| STANDARD.decode(encoded).ok()).any(|signature| {
            self.mac(received.id, received.timestamp_s, body).verify_slice(&signature).is_ok()
        })
    }

    fn mac(&self, id: &str, timestamp_s: u64, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.keyed.clone();
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(timestamp_s.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        mac
    }
}

impl fmt::Debug for WebhookSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSigner").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";

    #[test]
    fn signatures() {
        let signer = WebhookSigner::new(SECRET).unwrap();
        let headers = signer.headers("evt_1", 1_767_000_100, b"{}");
        assert_eq!(headers.signature, "v1,xXBDsAYBf/jPNtKY5YgnmVvmuvZgIFL89oGhRbBYoLU=");
        let two = format!("v1a,xx v1,{} {}", STANDARD.encode([0; 32]), headers.signature);
        let table = [
            (headers.clone(), "{}", true),
            (WebhookHeaders { signature: two, ..headers.clone() }, "{}", true),
            (headers.clone(), "{ }", false),
            (WebhookHeaders { id: "evt_2", ..headers.clone() }, "{}", false),
            (WebhookHeaders { timestamp_s: 0, ..headers.clone() }, "{}", false),
            (WebhookHeaders { signature: String::new(), ..headers.clone() }, "{}", false),
            (WebhookHeaders { signature: "v1,".into(), ..headers.clone() }, "{}", false),
        ];
        for (received, body, valid) in table {
            assert_eq!(signer.verify(&received, body.as_bytes()), valid, "{received:?} {body}");
        }
    }

    #[test]
    fn secrets() {
        let expected = WebhookSigner::new(SECRET).unwrap().headers("a", 1, b"");
        let bare = WebhookSigner::new(&SECRET[6..]).unwrap();
        assert_eq!(bare.headers("a", 1, b""), expected);
        for bad in ["", "whsec_", "not base64!"] {
            assert!(WebhookSigner::new(bad).is_err(), "{bad}");
        }
    }
}
