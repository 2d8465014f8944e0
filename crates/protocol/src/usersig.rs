//! UserSig: the ticket with which a user, or an admin, proves who they are.
//!
//! A UserSig is JSON, signed with the app's key by HMAC-SHA256 over a few lines of text, compressed with zlib and
//! written in a base64 of its own alphabet. Issuers differ in member order, spacing and compression level, so a UserSig
//! is always decoded and its signature made anew, never compared as text.
//!
//! Whether the app exists and whether the ticket was revoked is for the caller to know. Decoding takes some
//! microseconds; a caller may remember the [`Claims`] of a text that was verified until they expire.

use std::{fmt, io::Write};

use base64::{
    Engine,
    alphabet::{Alphabet, Symbol},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use flate2::{Compression, Decompress, FlushDecompress, Status, write::ZlibEncoder};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    code::ErrorCode,
    json::write_json,
    lenient::{self, slots},
    limits::{USERSIG_JSON_LEN_MAX, USERSIG_TEXT_LEN_MAX},
};

/// An app and the key that signs for it. The key is used as text, also when it looks like hexadecimal digits.
#[derive(Clone, Copy)]
pub struct Secret<'a> {
    /// The app.
    pub sdkappid: u32,
    /// Its key.
    pub key: &'a str,
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("sdkappid", &self.sdkappid).finish_non_exhaustive()
    }
}

/// When a UserSig is issued and for how long, both in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// Unix time of issue.
    pub time_s: u64,
    /// How long it is valid from then on.
    pub expire_s: u64,
}

/// Who presents a UserSig, according to the request around it, and when.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// The app of the request.
    pub sdkappid: u32,
    /// The user of the request.
    pub identifier: &'a str,
    /// The present Unix time.
    pub now_s: u64,
}

/// What a UserSig says. Nothing of it is to be believed before [`Claims::signed_by`].
#[derive(Clone, PartialEq, Eq)]
pub struct Claims {
    /// The user, without control characters.
    pub identifier: String,
    /// The app.
    pub sdkappid: u32,
    /// Unix time of issue; what revocation compares with.
    pub time_s: u64,
    /// Lifetime in seconds.
    pub expire_s: u64,
    /// Extra bytes under the signature; chat does not use them.
    pub userbuf: Option<Vec<u8>>,
    /// The signature, as base64.
    pub sig: String,
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("identifier", &self.identifier)
            .field("sdkappid", &self.sdkappid)
            .field("time_s", &self.time_s)
            .field("expire_s", &self.expire_s)
            .finish_non_exhaustive()
    }
}

impl Claims {
    /// Whether this key made the signature. Takes the same time wherever the signatures differ.
    pub fn signed_by(&self, key: &str) -> bool {
        let Ok(sig) = STANDARD.decode(&self.sig) else { return false };
        signature(key, &self.content()).verify_slice(&sig).is_ok()
    }

    /// The first second at which it is no longer valid.
    pub fn expires_at_s(&self) -> u64 {
        self.time_s.saturating_add(self.expire_s)
    }

    fn content(&self) -> String {
        let Claims { identifier, sdkappid, time_s, expire_s, .. } = self;
        let mut content = format!(
            "TLS.identifier:{identifier}\nTLS.sdkappid:{sdkappid}\nTLS.time:{time_s}\nTLS.expire:{expire_s}\n"
        );
        if let Some(userbuf) = &self.userbuf {
            content.push_str("TLS.userbuf:");
            STANDARD.encode_string(userbuf, &mut content);
            content.push('\n');
        }
        content
    }
}

/// Issues a UserSig. An identifier with control characters makes one that nobody accepts.
pub fn generate(secret: &Secret<'_>, identifier: &str, lifetime: Lifetime, userbuf: Option<&[u8]>) -> String {
    let mut claims = Claims {
        identifier: identifier.to_owned(),
        sdkappid: secret.sdkappid,
        time_s: lifetime.time_s,
        expire_s: lifetime.expire_s,
        userbuf: userbuf.map(<[u8]>::to_vec),
        sig: String::new(),
    };
    claims.sig = STANDARD.encode(signature(secret.key, &claims.content()).finalize().into_bytes());
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    let compressed = zlib.write_all(&encode_json(&claims)).and_then(|()| zlib.finish());
    USERSIG_BASE64.encode(compressed.expect("writing to a Vec does not fail"))
}

/// Checks a UserSig against the request that presents it and the app's live keys (two while a key is being changed).
///
/// Checked in this order: present ([`ErrorCode::UserSigMissing`]), decodable ([`ErrorCode::UserSigIllegal`]), app
/// ([`ErrorCode::UserSigOtherApp`]), user ([`ErrorCode::UserSigOtherIdentifier`]), signature
/// ([`ErrorCode::UserSigWrongKey`]), lifetime ([`ErrorCode::UserSigExpired`]).
pub fn verify(text: &str, presented: &Presented<'_>, keys: &[impl AsRef<str>]) -> Result<Claims, ErrorCode> {
    if text.is_empty() {
        return Err(ErrorCode::UserSigMissing);
    }
    let claims = decode(text)?;
    if claims.sdkappid != presented.sdkappid {
        return Err(ErrorCode::UserSigOtherApp);
    }
    if claims.identifier != presented.identifier {
        return Err(ErrorCode::UserSigOtherIdentifier);
    }
    if !keys.iter().any(|key| claims.signed_by(key.as_ref())) {
        return Err(ErrorCode::UserSigWrongKey);
    }
    if claims.expires_at_s() <= presented.now_s {
        return Err(ErrorCode::UserSigExpired);
    }
    Ok(claims)
}

/// Reads a UserSig without believing it. Any defect is [`ErrorCode::UserSigIllegal`]; missing padding is not one.
pub fn decode(text: &str) -> Result<Claims, ErrorCode> {
    try_decode(text).ok_or(ErrorCode::UserSigIllegal)
}

fn try_decode(text: &str) -> Option<Claims> {
    if text.len() > USERSIG_TEXT_LEN_MAX {
        return None;
    }
    let compressed = USERSIG_BASE64.decode(text).ok()?;
    decode_json(&inflate(&compressed)?)
}

/// Inflates a whole zlib stream that ends where the input ends and is within its limit.
fn inflate(compressed: &[u8]) -> Option<Vec<u8>> {
    let mut inflated = Vec::with_capacity(USERSIG_JSON_LEN_MAX);
    let mut zlib = Decompress::new(true);
    let status = zlib.decompress_vec(compressed, &mut inflated, FlushDecompress::Finish).ok()?;
    let whole = status == Status::StreamEnd && zlib.total_in() == compressed.len() as u64;
    (whole && inflated.len() <= USERSIG_JSON_LEN_MAX).then_some(inflated)
}

slots! {
    struct Members {
        identifier: "TLS.identifier",
        sdkappid: "TLS.sdkappid",
        time: "TLS.time",
        expire: "TLS.expire",
        userbuf: "TLS.userbuf",
        sig: "TLS.sig",
    }
}

fn decode_json(text: &[u8]) -> Option<Claims> {
    let members: Members<'_> = lenient::body(text).ok()?;
    let identifier = members.identifier.string().ok()??.into_owned();
    if identifier.is_empty() || identifier.chars().any(char::is_control) {
        return None;
    }
    let userbuf = members.userbuf.string().ok()?;
    Some(Claims {
        identifier,
        sdkappid: members.sdkappid.u32().ok()??,
        time_s: members.time.u64().ok()??,
        expire_s: members.expire.u64().ok()??,
        userbuf: userbuf.map(|text| STANDARD.decode(text.as_bytes())).transpose().ok()?,
        sig: members.sig.string().ok()??.into_owned(),
    })
}

fn encode_json(claims: &Claims) -> Vec<u8> {
    let mut text = Vec::with_capacity(256);
    let out = &mut text;
    write_json!(
        out,
        r#"{"TLS.ver":"2.0","TLS.identifier":"#,
        string(&claims.identifier),
        r#","TLS.sdkappid":"#,
        number(u64::from(claims.sdkappid)),
        r#","TLS.expire":"#,
        number(claims.expire_s),
        r#","TLS.time":"#,
        number(claims.time_s),
    );
    if let Some(userbuf) = &claims.userbuf {
        write_json!(out, r#","TLS.userbuf":"#, string(&STANDARD.encode(userbuf)));
    }
    write_json!(out, r#","TLS.sig":"#, string(&claims.sig), "}");
    text
}

fn signature(key: &str, content: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(content.as_bytes());
    mac
}

/// Base64 whose last two characters and padding need no escaping in a URL. It is not the usual URL-safe alphabet.
static USERSIG_BASE64: GeneralPurpose = {
    let text = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-";
    let padding = match Symbol::new(b'_') {
        Some(symbol) => symbol,
        None => panic!("the underscore is a valid symbol"),
    };
    let alphabet = match Alphabet::new_with_padding(text, padding) {
        Ok(alphabet) => alphabet,
        Err(_) => panic!("64 different characters and none of them the padding"),
    };
    GeneralPurpose::new(
        &alphabet,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    )
};

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const SECRET: Secret<'_> = Secret { sdkappid: 20_000_001, key: KEY };
    const LIFETIME: Lifetime = Lifetime { time_s: 1_735_689_600, expire_s: 86_400 };
    const ADA: Presented<'_> = Presented { sdkappid: 20_000_001, identifier: "ada", now_s: 1_735_689_600 };

    #[derive(serde::Deserialize)]
    struct Vectors {
        vectors: Vec<Vector>,
    }

    #[derive(serde::Deserialize)]
    struct Vector {
        name: String,
        sdkappid: u32,
        key: String,
        identifier: String,
        expire: u64,
        time: u64,
        expires_at: u64,
        userbuf: Option<String>,
        content_to_sign: String,
        sig: String,
        usersig: String,
        usersig_alt: String,
    }

    fn encode(json: &str) -> String {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(json.as_bytes()).unwrap();
        USERSIG_BASE64.encode(zlib.finish().unwrap())
    }

    #[test]
    fn vectors_of_other_issuers() {
        let Vectors { vectors } =
            serde_json::from_str(include_str!("../fixtures/usersig-vectors.json")).unwrap();
        assert_eq!(vectors.len(), 4);
        for vector in vectors {
            let name = &vector.name;
            let secret = Secret { sdkappid: vector.sdkappid, key: &vector.key };
            let lifetime = Lifetime { time_s: vector.time, expire_s: vector.expire };
            let userbuf = vector.userbuf.as_deref().map(str::as_bytes);
            let ours = generate(&secret, &vector.identifier, lifetime, userbuf);
            let expected = decode(&vector.usersig).unwrap();
            for text in [&vector.usersig, &vector.usersig_alt, &ours] {
                let claims = decode(text).unwrap();
                assert_eq!(claims, expected, "{name}");
                assert_eq!(claims.sig, vector.sig, "{name}");
                assert_eq!(claims.content(), vector.content_to_sign, "{name}");
                assert_eq!(claims.expires_at_s(), vector.expires_at, "{name}");
                assert_eq!(decode(text.trim_end_matches('_')).unwrap(), claims, "{name}: padding left out");
                let presented =
                    |now_s| Presented { sdkappid: vector.sdkappid, identifier: &vector.identifier, now_s };
                let keys = [&vector.key];
                assert!(verify(text, &presented(vector.expires_at - 1), &keys).is_ok(), "{name}");
                let late = verify(text, &presented(vector.expires_at), &keys);
                assert_eq!(late, Err(ErrorCode::UserSigExpired), "{name}");
            }
        }
    }

    #[test]
    fn every_check_in_its_order() {
        let good = generate(&SECRET, "ada", LIFETIME, None);
        let other_key = generate(&Secret { key: "other", ..SECRET }, "ada", LIFETIME, None);
        let late = Presented { now_s: LIFETIME.time_s + 86_400, ..ADA };
        let table = [
            (good.as_str(), ADA, None),
            ("", ADA, Some(ErrorCode::UserSigMissing)),
            ("!!", Presented { sdkappid: 1, ..ADA }, Some(ErrorCode::UserSigIllegal)),
            (&good, Presented { sdkappid: 1, identifier: "bo", ..late }, Some(ErrorCode::UserSigOtherApp)),
            (&good, Presented { identifier: "bo", ..late }, Some(ErrorCode::UserSigOtherIdentifier)),
            (&other_key, late, Some(ErrorCode::UserSigWrongKey)),
            (&good, late, Some(ErrorCode::UserSigExpired)),
        ];
        for (index, (text, presented, refused)) in table.into_iter().enumerate() {
            for keys in [vec![KEY], vec!["new", KEY], vec![KEY, "old"]] {
                assert_eq!(verify(text, &presented, &keys).err(), refused, "row {index}");
            }
        }
        assert_eq!(verify(&good, &ADA, &[] as &[&str]).err(), Some(ErrorCode::UserSigWrongKey));
    }

    #[test]
    fn what_is_illegal() {
        let good = generate(&SECRET, "ada", LIFETIME, None);
        for end in 0..good.len() - 3 {
            assert_eq!(decode(&good[..end]), Err(ErrorCode::UserSigIllegal), "cut at {end}");
        }
        let members = r#""TLS.sdkappid":1,"TLS.time":1,"TLS.expire":1,"TLS.sig":"""#;
        let table = [
            ("[]".to_owned(), false),
            ("{}".to_owned(), false),
            (format!(r#"{{"TLS.identifier":"ada",{members}}}"#), true),
            (format!(r#"{{"TLS.identifier":"",{members}}}"#), false),
            (format!(r#"{{"TLS.identifier":"a\nb",{members}}}"#), false),
            (format!(r#"{{"TLS.identifier":1,{members}}}"#), false),
            (format!(r#"{{"TLS.identifier":"ada","TLS.userbuf":"?",{members}}}"#), false),
            (format!(r#"{{"TLS.identifier":"ada",{members},"TLS.time":-1}}"#), false),
            (format!(r#"{{"TLS.identifier":"ada",{members},"TLS.sdkappid":"7","TLS.expire":"9"}}"#), true),
            (format!(r#"{{"TLS.identifier":"ada",{members},"x":"{}"}}"#, " ".repeat(3900)), true),
            (format!(r#"{{"TLS.identifier":"ada",{members},"x":"{}"}}"#, " ".repeat(4096)), false),
        ];
        for (json, legal) in table {
            assert_eq!(decode(&encode(&json)).is_ok(), legal, "{json}");
        }
        assert!(decode(&"A".repeat(USERSIG_TEXT_LEN_MAX + 4)).is_err());
    }

    #[test]
    fn a_bomb_is_not_inflated() {
        let bomb = encode(&" ".repeat(2_000_000));
        assert!(
            bomb.len() < USERSIG_TEXT_LEN_MAX,
            "within the limit before, beyond it after: {}",
            bomb.len()
        );
        assert_eq!(decode(&bomb), Err(ErrorCode::UserSigIllegal));
    }

    #[test]
    fn a_lifetime_beyond_all_time_does_not_overflow() {
        let lifetime = Lifetime { time_s: u64::MAX, expire_s: u64::MAX };
        let text = generate(&SECRET, "ada", lifetime, None);
        assert!(verify(&text, &ADA, &[KEY]).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(0_u8.., 0..600)) {
            assert!(decode(&String::from_utf8_lossy(&bytes)).is_err());
            assert!(decode(&USERSIG_BASE64.encode(&bytes)).is_err());
        }

        #[test]
        fn what_is_generated_verifies(identifier in "[^\\pC]{1,32}", userbuf in proptest::option::of("\\PC*")) {
            let text = generate(&SECRET, &identifier, LIFETIME, userbuf.as_deref().map(str::as_bytes));
            let claims = verify(&text, &Presented { identifier: &identifier, ..ADA }, &[KEY]).unwrap();
            proptest::prop_assert_eq!(claims.userbuf, userbuf.map(String::into_bytes));
        }
    }
}
