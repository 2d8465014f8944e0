//! UserSigs: nobody is let in without a signature of one of the keys, and everybody who has one is.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::ZlibEncoder};
use protocol::{
    ErrorCode,
    usersig::{Claims, Lifetime, Presented, Secret, decode, generate, verify},
    valid_user_id,
};

/// Stands in the ticket of a seed for the signature that it should have.
const SIGNATURE: &str = "SIGNATURE";

/// A ticket up to this length fits a UserSig for certain, also as the extra bytes of another one.
const FITTING_LEN_MAX: usize = 1024;

/// Three lines and a ticket.
struct Case<'a> {
    /// The first line.
    key: &'a str,
    /// The second line.
    identifier: &'a str,
    /// The third line, with the next three: `sdkappid time expire now`. What is not a number is 0.
    sdkappid: u32,
    lifetime: Lifetime,
    now_s: u64,
    /// The rest: JSON, which is packed as a UserSig is, or anything else, which is presented as it stands.
    ticket: &'a str,
}

/// The bytes are a [`Case`].
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(case) = Case::read(text) else { return };
    let ticket = if case.ticket.starts_with('{') { packed(case.ticket) } else { case.ticket.to_owned() };
    case.lets_in_only_what_is_signed(&ticket);
    case.lets_in_what_is_signed_however_it_is_spelt();
    case.lets_in_what_it_issues();
}

impl<'a> Case<'a> {
    fn read(text: &'a str) -> Option<Case<'a>> {
        let mut lines = text.splitn(4, '\n');
        let (key, identifier) = (lines.next()?, lines.next()?);
        let mut numbers = lines.next()?.split(' ').map(|number| number.parse::<u64>().unwrap_or_default());
        let mut number = || numbers.next().unwrap_or_default();
        Some(Case {
            key,
            identifier,
            sdkappid: u32::try_from(number()).unwrap_or_default(),
            lifetime: Lifetime { time_s: number(), expire_s: number() },
            now_s: number(),
            ticket: lines.next()?,
        })
    }

    fn presented(&self) -> Presented<'a> {
        Presented { sdkappid: self.sdkappid, identifier: self.identifier, now_s: self.now_s }
    }

    /// A key that is not ours. HMAC fills keys up with zeros, so it must not end with one.
    fn other_key(&self) -> String {
        format!("{}x", self.key)
    }

    fn lets_in_only_what_is_signed(&self, ticket: &str) {
        let Ok(claims) = verify(ticket, &self.presented(), &[self.key, "another live key"]) else { return };
        assert_eq!((claims.sdkappid, claims.identifier.as_str()), (self.sdkappid, self.identifier));
        assert!(self.now_s < claims.expires_at_s());
        let signed = [self.key, "another live key"].map(|key| signature(key, &claims));
        // Written anew it may be too long to be read.
        assert!(signed.contains(&None) || signed.contains(&Some(claims.sig)));
    }

    fn lets_in_what_is_signed_however_it_is_spelt(&self) {
        let Ok(unsigned) = decode(&packed(self.ticket)) else { return };
        let Some(sig) = signature(self.key, &unsigned) else { return };
        let ticket = packed(&self.ticket.replace(SIGNATURE, &sig));
        // The word may have stood elsewhere, too, and the whole may have become too long.
        let Ok(signed) = decode(&ticket) else { return };
        if signed != (Claims { sig, ..unsigned }) {
            return;
        }
        let presented =
            Presented { sdkappid: signed.sdkappid, identifier: &signed.identifier, now_s: self.now_s };
        let expected = if self.now_s < signed.expires_at_s() {
            Ok(signed.clone())
        } else {
            Err(ErrorCode::UserSigExpired)
        };
        assert_eq!(verify(&ticket, &presented, &[self.key]), expected);
        assert_eq!(verify(&ticket, &presented, &[self.other_key()]), Err(ErrorCode::UserSigWrongKey));
        self.every_claim_is_signed(&signed);
    }

    fn every_claim_is_signed(&self, signed: &Claims) {
        let others = [
            Claims { identifier: format!("{}x", signed.identifier), ..signed.clone() },
            Claims { sdkappid: signed.sdkappid ^ 1, ..signed.clone() },
            Claims { time_s: signed.time_s ^ 1, ..signed.clone() },
            Claims { expire_s: signed.expire_s ^ 1, ..signed.clone() },
            Claims { userbuf: signed.userbuf.is_none().then(Vec::new), ..signed.clone() },
        ];
        for other in others {
            assert_ne!(signature(self.key, &other).as_ref(), Some(&signed.sig), "{other:?}");
        }
    }

    fn lets_in_what_it_issues(&self) {
        let secret = Secret { sdkappid: self.sdkappid, key: self.key };
        let userbuf = (!self.ticket.is_empty()).then_some(self.ticket.as_bytes());
        let issued = generate(&secret, self.identifier, self.lifetime, userbuf);
        let Ok(claims) = decode(&issued) else {
            assert!(!valid_user_id(self.identifier) || self.ticket.len() > FITTING_LEN_MAX);
            return;
        };
        let presented = self.presented();
        let alive = self.now_s < self.lifetime.time_s.saturating_add(self.lifetime.expire_s);
        let expected = if alive { Ok(claims.clone()) } else { Err(ErrorCode::UserSigExpired) };
        assert_eq!(verify(&issued, &presented, &[self.other_key().as_str(), self.key]), expected);
        let refused = |presented: &Presented<'_>, key: &str| verify(&issued, presented, &[key]).err();
        assert_eq!(refused(&presented, &self.other_key()), Some(ErrorCode::UserSigWrongKey));
        let other_app = Presented { sdkappid: self.sdkappid ^ 1, ..presented };
        assert_eq!(refused(&other_app, self.key), Some(ErrorCode::UserSigOtherApp));
        let other_user = Presented { identifier: &format!("{}x", self.identifier), ..presented };
        assert_eq!(refused(&other_user, self.key), Some(ErrorCode::UserSigOtherIdentifier));

        let tampered = tampered(&issued, self.now_s);
        if let Ok(believed) = verify(&tampered, &presented, &[self.key]) {
            assert_eq!(believed, claims, "{tampered}");
        }
    }
}

/// The signature that a key makes of these claims; `None` if they do not fit a UserSig.
fn signature(key: &str, claims: &Claims) -> Option<String> {
    let secret = Secret { sdkappid: claims.sdkappid, key };
    let lifetime = Lifetime { time_s: claims.time_s, expire_s: claims.expire_s };
    let issued = generate(&secret, &claims.identifier, lifetime, claims.userbuf.as_deref());
    Some(decode(&issued).ok()?.sig)
}

/// One character of the text exchanged for another one, at a place that the number chooses.
fn tampered(text: &str, number: u64) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let len = u64::try_from(bytes.len()).expect("a length fits 64 bits");
    let at = usize::try_from(number % len).expect("less than a length");
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).expect("the alphabet of UserSigs is ASCII")
}

/// JSON as it is inside a UserSig.
fn packed(json: &str) -> String {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    let packed = zlib.write_all(json.as_bytes()).and_then(|()| zlib.finish());
    let base64 = STANDARD.encode(packed.expect("writing to a Vec does not fail"));
    base64.replace('+', "*").replace('/', "-").replace('=', "_")
}
