//! Permission for one upload: what a device is given over its session, and shows again over HTTP.
//!
//! It is signed and not kept, so any number can be given out. It holds good for some minutes even when the user's
//! UserSig is revoked meanwhile.

use super::locator::{MediaId, tame_name};
use super::secret::{SIGNATURE_BYTES, Secret};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chat::UserId;
use protocol::client::{MediaKind, Upload};

/// How long an upload may wait to begin.
pub(super) const VALID_SECS: u64 = 600;
const PURPOSE: &str = "upload";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) sdkappid: u32,
    pub(super) user: UserId,
    pub(super) kind: MediaKind,
    pub(super) size: u64,
    /// Under which the file will be kept: a second upload finds it there.
    pub(super) id: MediaId,
    pub(super) expires_s: u64,
    pub(super) name: String,
}

impl Ticket {
    pub(super) fn new(
        (sdkappid, user): (u32, UserId),
        upload: &Upload<'_>,
        now_s: u64,
    ) -> Result<Self, getrandom::Error> {
        Ok(Self {
            sdkappid,
            user,
            kind: upload.kind,
            size: upload.size,
            id: MediaId::random()?,
            expires_s: now_s + VALID_SECS,
            name: tame_name(&upload.name),
        })
    }

    /// The text that goes into the address.
    pub(super) fn token(&self, secret: &Secret) -> String {
        let text = self.text();
        let signature = secret.sign(PURPOSE, &text);
        URL_SAFE_NO_PAD.encode([signature.as_slice(), text.as_bytes()].concat())
    }

    /// Reads a token back. `None` for one that this server did not make, or that has expired.
    pub(super) fn check(token: &str, secret: &Secret, now_s: u64) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signature, text) = bytes.split_at_checked(SIGNATURE_BYTES)?;
        let text = std::str::from_utf8(text).ok()?;
        let ticket = Self::read(text).filter(|_| secret.is_signed(PURPOSE, text, signature))?;
        (now_s < ticket.expires_s).then_some(ticket)
    }

    /// The texts of people come last, and what is before them has no spaces.
    fn text(&self) -> String {
        let Self { sdkappid, user, kind, size, id, expires_s, name } = self;
        let (kind, user) = (kind.name(), user.as_str());
        format!("{sdkappid} {kind} {size} {id} {expires_s} {} {user}{name}", user.len())
    }

    fn read(text: &str) -> Option<Self> {
        let mut words = text.splitn(7, ' ');
        let sdkappid = words.next()?.parse().ok()?;
        let kind = MediaKind::parse(words.next()?)?;
        let size = words.next()?.parse().ok()?;
        let id = words.next()?.parse().ok()?;
        let expires_s = words.next()?.parse().ok()?;
        let user_len: usize = words.next()?.parse().ok()?;
        let (user, name) = words.next()?.split_at_checked(user_len)?;
        Some(Self { sdkappid, user: UserId::new(user)?, kind, size, id, expires_s, name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        let directory = tempfile::tempdir().unwrap();
        Secret::open(&directory.path().join("key")).unwrap()
    }

    fn ticket(user: &str, name: &str) -> Ticket {
        let upload =
            Upload { kind: MediaKind::Image, size: 77, name: name.into(), media_type: "image/png".into() };
        Ticket::new((14, UserId::new(user).unwrap()), &upload, 1_000).unwrap()
    }

    #[test]
    fn a_ticket_comes_back_as_it_was() {
        let secret = secret();
        for (user, name) in [("ana", "a b.png"), ("a na", "用.png"), ("1 2", ""), ("用", "9 9")] {
            let ticket = ticket(user, name);
            assert_eq!(Ticket::check(&ticket.token(&secret), &secret, 1_599), Some(ticket));
        }
    }

    #[test]
    fn others_are_refused() {
        let (ours, theirs) = (secret(), secret());
        let token = ticket("ana", "a.png").token(&ours);
        assert_eq!(Ticket::check(&token, &ours, 1_600), None, "expired");
        assert_eq!(Ticket::check(&token, &theirs, 1_000), None, "of another server");
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(Ticket::check(&changed, &ours, 1_000), None, "changed at {at}");
        }
        for cut in 0..token.len() {
            assert_eq!(Ticket::check(&token[..cut], &ours, 1_000), None, "cut at {cut}");
        }
    }
}
