//! The TLS handshake: what was agreed, or what exactly is wrong.

use super::{Stop, began, now_ms};
use crate::cli::callback::certificate::Certificate;
use crate::cli::callback::connection::Way;
use crate::cli::callback::report::{Report, Step};
use crate::cli::moment::{lasting, written_date};
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, ProtocolVersion};
use std::io;
use std::time::Duration;
use tokio::time::timeout;

/// A certificate that is to be renewed by hand wants to be known of for so long.
const EXPIRY_WARNING_MS: u64 = 14 * 24 * 60 * 60 * 1000;

pub(super) async fn check(way: &Way<'_>, report: &mut Report) -> Result<(), Stop> {
    let limit_ms = way.endpoint.settings.connect_timeout_ms;
    let began = began();
    let handshake = async { way.secure(way.connect().await?).await };
    let stream = match timeout(Duration::from_millis(limit_ms), handshake).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(refused(way, &error).await.into()),
        Err(_) => {
            let words = format!("the handshake did not end in {limit_ms} ms");
            let fix = "look whether something listens on this port that does not speak TLS";
            return Err(Step::failed("tls", words, fix).into());
        }
    };
    let connection = stream.get_ref().1;
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "TLS 1.2",
    };
    let http = if connection.alpn_protocol() == Some(b"h2") { "HTTP/2" } else { "HTTP/1.1" };
    report.add(Step::ok("tls", format!("{version} with {http}, agreed in {} ms", began.now_ms())))?;
    let shown = connection.peer_certificates().and_then(|chain| chain.first());
    if let Some(certificate) = shown.and_then(|certificate| Certificate::read(certificate)) {
        report.add(verified(&certificate))?;
    }
    Ok(())
}

fn verified(certificate: &Certificate) -> Step {
    let words = described(certificate);
    let left_ms = certificate.not_after_ms.map(|ms| ms.saturating_sub(now_ms()));
    match left_ms.filter(|ms| *ms < EXPIRY_WARNING_MS) {
        None => Step::ok("certificate", words),
        Some(ms) => Step::warning("certificate", format!("{words}: {} left", lasting(ms)), "renew it"),
    }
}

fn described(certificate: &Certificate) -> String {
    let Certificate { subject, issuer, names, not_after_ms, .. } = certificate;
    let names = if names.is_empty() { String::new() } else { format!(" for {}", names.join(", ")) };
    let until = not_after_ms.map_or(String::new(), |ms| format!(", good until {}", written_date(ms)));
    format!("{subject}{names}, issued by {issuer}{until}")
}

/// What went wrong, with what the receiver shows.
async fn refused(way: &Way<'_>, error: &io::Error) -> Step {
    let carried = error.get_ref().and_then(|carried| carried.downcast_ref::<Error>());
    let Some(tls) = carried else {
        let fix = match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                "look at the receiver's log; if it does not speak TLS on this port, write http://"
            }
            _ => "look at the receiver's log",
        };
        return Step::failed("tls", format!("the handshake broke off: {error}"), fix);
    };
    if !matches!(tls, Error::InvalidCertificate(_)) {
        let (words, fix) = no_agreement(tls);
        return Step::failed("tls", words, fix);
    }
    // It was refused before it could be kept, so it is looked at once more.
    let limit = Duration::from_millis(way.endpoint.settings.connect_timeout_ms);
    let shown = timeout(limit, way.shown_certificate()).await.ok().flatten();
    let (words, fix) = bad_certificate(tls, shown.as_ref(), &way.place.host);
    let shown = shown.as_ref().map_or(String::new(), |shown| format!("; it is {}", described(shown)));
    Step::failed("certificate", format!("{words}{shown}"), fix)
}

fn bad_certificate(error: &Error, shown: Option<&Certificate>, host: &str) -> (String, String) {
    let Error::InvalidCertificate(error) = error else { return no_agreement(error) };
    let since = |at: &UnixTime| written_date(at.as_secs() * 1000);
    let (words, fix) = match error {
        CertificateError::ExpiredContext { not_after, .. } => (
            format!("the certificate has expired on {}", since(not_after)),
            "renew it, and have the receiver load the new one".to_owned(),
        ),
        CertificateError::NotValidYetContext { not_before, .. } => (
            format!("the certificate is not valid before {}", since(not_before)),
            "look at the clocks, here and where it was issued".to_owned(),
        ),
        CertificateError::UnknownIssuer => {
            let issuer = shown.map_or("its authority", |shown| &shown.issuer);
            let fix = format!(
                "have the receiver send the intermediate certificates too; for an authority of your own, name the \
                 certificate of {issuer} as ca"
            );
            ("the certificate is issued by nobody who is trusted here".to_owned(), fix)
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            // The library lists them in its own notation; those that were read are plainer.
            let names = shown.map_or_else(|| presented.join(", "), |shown| shown.names.join(", "));
            (
                format!("the certificate is for {names}, and not for {host}"),
                "use a name in the URL that it is for, or have one issued for this name".to_owned(),
            )
        }
        CertificateError::Revoked => {
            ("the certificate is revoked".to_owned(), "have a new one issued".to_owned())
        }
        CertificateError::InvalidPurposeContext { .. } | CertificateError::InvalidPurpose => (
            "the certificate is not meant for servers".to_owned(),
            "have one issued with the purpose of server authentication".to_owned(),
        ),
        CertificateError::Other(_) if format!("{error:?}").contains("CaUsedAsEndEntity") => (
            "the receiver shows the certificate of an authority as its own".to_owned(),
            "have a certificate issued by it for the receiver, and keep its own as ca".to_owned(),
        ),
        other => (format!("the certificate is refused: {other}"), "have another one issued".to_owned()),
    };
    (words, fix)
}

fn no_agreement(error: &Error) -> (String, String) {
    let (words, fix) = match error {
        Error::InvalidMessage(_) => (
            "what answers there does not speak TLS".to_owned(),
            "write http://, or switch TLS on in the receiver",
        ),
        Error::AlertReceived(AlertDescription::ProtocolVersion) | Error::PeerIncompatible(_) => (
            format!("no common version or cipher: {error}"),
            "have the receiver speak TLS 1.2 or 1.3 with current ciphers",
        ),
        Error::AlertReceived(AlertDescription::UnrecognisedName) => {
            ("the receiver does not know itself by this name".to_owned(), "look at its list of host names")
        }
        _ => (
            error.to_string(),
            "look at the receiver's log; if it wants to see a certificate, set client_cert and client_key",
        ),
    };
    (words, fix.to_owned())
}
