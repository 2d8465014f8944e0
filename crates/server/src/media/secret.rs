//! The key that uploads and addresses are signed with. It is made at the first start, and stays in the data directory.

use super::MediaError;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::io::Write;
use std::path::Path;

const KEY_BYTES: usize = 32;
/// Of a signature. Nobody finds one of so many by trying, and addresses stay short.
pub(super) const SIGNATURE_BYTES: usize = 16;

pub(super) struct Secret([u8; KEY_BYTES]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// Reads the key, or makes one.
    pub(super) fn open(path: &Path) -> Result<Self, MediaError> {
        let failed = |error| MediaError::Key(path.to_owned(), error);
        match std::fs::read(path) {
            Ok(bytes) => match bytes.try_into() {
                Ok(key) => Ok(Self(key)),
                Err(_) => Err(failed(std::io::Error::other(format!("it does not have {KEY_BYTES} bytes")))),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::make(path).map_err(failed),
            Err(error) => Err(failed(error)),
        }
    }

    fn make(path: &Path) -> std::io::Result<Self> {
        let mut key = [0_u8; KEY_BYTES];
        getrandom::fill(&mut key).map_err(std::io::Error::other)?;
        // Whoever can read it can upload as anybody.
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // Under another name first, so that a file of the right name is always whole.
        let unfinished = path.with_extension("new");
        let mut file = options.open(&unfinished)?;
        file.write_all(&key)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)?;
        Ok(Self(key))
    }

    /// Signs a text for one purpose: a signature for another one is worthless here.
    pub(super) fn sign(&self, purpose: &str, text: &str) -> [u8; SIGNATURE_BYTES] {
        let whole = self.mac(purpose, text).finalize().into_bytes();
        let mut signature = [0; SIGNATURE_BYTES];
        signature.copy_from_slice(&whole[..SIGNATURE_BYTES]);
        signature
    }

    /// Takes the same time wherever they differ.
    pub(super) fn is_signed(&self, purpose: &str, text: &str, signature: &[u8]) -> bool {
        signature.len() == SIGNATURE_BYTES && self.mac(purpose, text).verify_truncated_left(signature).is_ok()
    }

    fn mac(&self, purpose: &str, text: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key may have any length");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_one_key_purpose_and_text() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let secret = Secret::open(&path).unwrap();
        let signature = secret.sign("upload", "text");
        assert!(Secret::open(&path).unwrap().is_signed("upload", "text", &signature), "it was kept");
        assert!(!secret.is_signed("get", "text", &signature));
        assert!(!secret.is_signed("upload", "texts", &signature));
        assert!(!secret.is_signed("upload", "text", &signature[1..]));
        assert!(!secret.is_signed("upload", "text", b""));
        let other = Secret::open(&directory.path().join("other")).unwrap();
        assert!(!other.is_signed("upload", "text", &signature));
        std::fs::write(&path, "short").unwrap();
        assert!(Secret::open(&path).unwrap_err().to_string().contains("32 bytes"));
    }
}
