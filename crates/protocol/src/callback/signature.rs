//! The headers of the Standard Webhooks convention, which sign the body too.

use std::{fmt, iter};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_PAD_INDIFFERENT},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Signs callbacks with one secret, or with two while one replaces the other; cheap to use again and again.
#[derive(Clone)]
pub struct WebhookSigner {
    current: Hmac<Sha256>,
    previous: Option<Hmac<Sha256>>,
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
        Ok(WebhookSigner { current: keyed(secret)?, previous: None })
    }

    /// Takes two secrets for the time in which receivers change from one to the other: both sign, and both are
    /// accepted.
    pub fn rotating(current: &str, previous: &str) -> Result<WebhookSigner, BadSecret> {
        Ok(WebhookSigner { current: keyed(current)?, previous: Some(keyed(previous)?) })
    }

    /// The headers for one attempt.
    pub fn headers<'a>(&self, id: &'a str, timestamp_s: u64, body: &[u8]) -> WebhookHeaders<'a> {
        let mut signature = String::with_capacity(2 * (3 + 44) + 1);
        for keyed in self.secrets() {
            if !signature.is_empty() {
                signature.push(' ');
            }
            signature.push_str("v1,");
            let mac = mac(keyed, id, timestamp_s, body).finalize();
            STANDARD.encode_string(mac.into_bytes(), &mut signature);
        }
        WebhookHeaders { id, timestamp_s, signature }
    }

    /// Whether one of the received signatures is of one of the secrets. The age of the time is for the caller to judge.
    pub fn verify(&self, received: &WebhookHeaders<'_>, body: &[u8]) -> bool {
        let expected: Vec<_> =
            self.secrets().map(|keyed| mac(keyed, received.id, received.timestamp_s, body)).collect();
        let candidates = received.signature.split(' ').filter_map(|candidate| candidate.strip_prefix("v1,"));
        candidates.filter_map(|encoded| STANDARD.decode(encoded).ok()).any(|signature| {
            // The comparison takes the same time wherever they differ.
            expected.iter().any(|mac| mac.clone().verify_slice(&signature).is_ok())
        })
    }

    /// The current one first: some receivers look at the first signature only.
    fn secrets(&self) -> impl Iterator<Item = &Hmac<Sha256>> {
        iter::once(&self.current).chain(&self.previous)
    }
}

fn keyed(secret: &str) -> Result<Hmac<Sha256>, BadSecret> {
    let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = STANDARD_PAD_INDIFFERENT.decode(encoded).map_err(|_| BadSecret)?;
    if key.is_empty() {
        return Err(BadSecret);
    }
    Ok(Hmac::new_from_slice(&key).expect("HMAC takes a key of any length"))
}

fn mac(keyed: &Hmac<Sha256>, id: &str, timestamp_s: u64, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = keyed.clone();
    mac.update(id.as_bytes());
    mac.update(b".");
    mac.update(timestamp_s.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
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
    const NEXT_SECRET: &str = "whsec_dGhlIHNlY3JldCB0aGF0IGlzIG9uIGl0cyB3YXkgaW4=";

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
    fn two_secrets_while_one_replaces_the_other() {
        // Made with another implementation of HMAC.
        let table = [
            (
                "evt_1",
                "{}",
                "v1,brezxQcWcF7gxrleQvJpmeA+4vBp8kjCb7AO+F/WXrA= v1,xXBDsAYBf/jPNtKY5YgnmVvmuvZgIFL89oGhRbBYoLU=",
            ),
            (
                "evt_2",
                r#"{"Text":"ça va?"}"#,
                "v1,bFE90BU62+6Mwkz+2hshHvvl4C7d/H2N4wv4fKMte6Y= v1,UpuQoTuvhWgzSErKtASwdk5fZdgnJkWwQLNnw68De14=",
            ),
        ];
        let both = WebhookSigner::rotating(NEXT_SECRET, SECRET).unwrap();
        let signers =
            [&both, &WebhookSigner::new(SECRET).unwrap(), &WebhookSigner::new(NEXT_SECRET).unwrap()];
        for (id, body, expected) in table {
            let headers = both.headers(id, 1_767_000_100, body.as_bytes());
            assert_eq!(headers.signature, expected);
            for signer in signers {
                assert!(
                    signer.verify(&headers, body.as_bytes()),
                    "a receiver that knows one of them accepts both"
                );
                assert!(both.verify(&signer.headers(id, 1_767_000_100, body.as_bytes()), body.as_bytes()));
            }
        }
        let stranger = WebhookSigner::new("c3RyYW5nZXI=").unwrap();
        assert!(!both.verify(&stranger.headers("evt_1", 1, b""), b""));
        assert!(!stranger.verify(&both.headers("evt_1", 1, b""), b""));
    }

    #[test]
    fn secrets() {
        let expected = WebhookSigner::new(SECRET).unwrap().headers("a", 1, b"");
        let bare = WebhookSigner::new(&SECRET[6..]).unwrap();
        assert_eq!(bare.headers("a", 1, b""), expected);
        for bad in ["", "whsec_", "not base64!"] {
            assert!(WebhookSigner::new(bad).is_err(), "{bad}");
            assert!(WebhookSigner::rotating(SECRET, bad).is_err(), "{bad}");
            assert!(WebhookSigner::rotating(bad, SECRET).is_err(), "{bad}");
        }
    }
}
