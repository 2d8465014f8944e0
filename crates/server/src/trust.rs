//! Certificates from files, and whose certificates a connection of ours trusts.

use rustls::client::WantsClientCert;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// Why a file is of no use. Whoever asked for it knows what it was wanted for.
#[derive(Debug)]
pub enum BadCertificates {
    Unreadable(pem::Error),
    /// There is none in it.
    Empty,
}

/// The certificates of a PEM file, at least one.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, BadCertificates> {
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(BadCertificates::Unreadable)?;
    if found.is_empty() { Err(BadCertificates::Empty) } else { Ok(found) }
}

/// The authorities that browsers trust.
pub fn public_authorities() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

/// The settings of connections that trust these.
pub fn trusting(roots: RootCertStore) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has all the versions");
    versions.with_root_certificates(roots)
}
