//! Signed tokens that say to a carrier who calls: JSON web tokens with the two ways of signing that carriers want.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use std::fmt;

/// A private key that signs tokens.
pub(super) enum SigningKey {
    /// RS256, as Google has it.
    Rsa(RsaKeyPair),
    /// ES256, as Apple has it.
    Ecdsa(EcdsaKeyPair),
}

// Without the secret.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

impl SigningKey {
    /// An RSA key of 2048 to 4096 bits, in PEM (PKCS #8).
    pub(super) fn rsa(pem: &str) -> Result<Self, String> {
        let key = RsaKeyPair::from_pkcs8(&pkcs8(pem)?).map_err(|error| format!("no RSA key: {error}"))?;
        Ok(Self::Rsa(key))
    }

    /// A key on the curve P-256, in PEM (PKCS #8).
    pub(super) fn ecdsa(pem: &str) -> Result<Self, String> {
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8(pem)?, &SystemRandom::new());
        Ok(Self::Ecdsa(key.map_err(|error| format!("no key on the curve P-256: {error}"))?))
    }

    /// A token with these claims. `key_id`: which of the holder's keys it is, where the carrier wants to know.
    pub(super) fn token(&self, key_id: Option<&str>, claims: &Value) -> String {
        let algorithm = match self {
            Self::Rsa(_) => "RS256",
            Self::Ecdsa(_) => "ES256",
        };
        let mut header = serde_json::json!({ "alg": algorithm, "typ": "JWT" });
        if let Some(key_id) = key_id {
            header["kid"] = key_id.into();
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, bytes, &mut signature)
                    .expect("the signature has room, and the system has randomness");
                signature
            }
            Self::Ecdsa(key) => {
                let signature = key.sign(&random, bytes).expect("the system has randomness");
                signature.as_ref().to_vec()
            }
        }
    }
}

fn pkcs8(pem: &str) -> Result<Vec<u8>, String> {
    let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes());
    let key = key.map_err(|error| format!("no private key in PEM (PKCS #8): {error}"))?;
    Ok(key.secret_pkcs8_der().to_vec())
}
