//! Addresses of files: whole ones, since they travel in messages to people who may know the server by another name.

use super::Media;
use super::locator::Locator;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::url::{decode, encode, pairs};

const PURPOSE: &str = "get";
const HOST_BYTES_MAX: usize = 255;

/// Whether an address may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    Granted {
        /// Until when, in Unix seconds; `None`: for as long as the file is there.
        until_s: Option<u64>,
    },
    Refused,
}

impl Media {
    /// What the addresses of files begin with that this request has brought.
    pub(super) fn base(&self, request: &Parts) -> Option<String> {
        if !self.public_base().is_empty() {
            return Some(self.public_base().to_owned());
        }
        let host = host(&request.uri, &request.headers)?;
        let proxy_has_tls =
            request.headers.get("x-forwarded-proto").is_some_and(|value| value.as_bytes() == b"https");
        let scheme = if self.tls || proxy_has_tls { "https" } else { "http" };
        Some(format!("{scheme}://{host}"))
    }

    /// The address of a file, with a time to its end if the settings have one.
    pub(super) fn url(&self, base: &str, file: &Locator, name: &str) -> String {
        let mut url = format!("{base}{}", path(file, name));
        if self.settings.url_secs > 0 {
            let until_s = self.now_s() + self.settings.url_secs;
            let signature = self.secret.sign(PURPOSE, &signed(file, name, until_s));
            url.push_str(&format!("?e={until_s}&s={}", URL_SAFE_NO_PAD.encode(signature)));
        }
        url
    }

    /// Whether the query of an address is as [`Self::url`] has made it.
    pub(super) fn leave(&self, file: &Locator, name: &str, query: &str) -> Leave {
        if self.settings.url_secs == 0 {
            return Leave::Granted { until_s: None };
        }
        let value = |wanted| pairs(query).find(|(name, _)| *name == wanted).map(|(_, value)| value);
        let until_s = value("e").and_then(|value| value.parse().ok());
        let signature = value("s").and_then(|value| URL_SAFE_NO_PAD.decode(value).ok());
        let (Some(until_s), Some(signature)) = (until_s, signature) else { return Leave::Refused };
        if !self.secret.is_signed(PURPOSE, &signed(file, name, until_s), &signature)
            || until_s <= self.now_s()
        {
            return Leave::Refused;
        }
        Leave::Granted { until_s: Some(until_s) }
    }
}

fn path(file: &Locator, name: &str) -> String {
    let mut path = format!("/media/{}/{}/", file.sdkappid, file.file());
    encode(&mut path, name);
    path
}

fn signed(file: &Locator, name: &str, until_s: u64) -> String {
    format!("{} {} {until_s} {name}", file.sdkappid, file.file())
}

/// The value of a member of a query that stands there once or more; the first counts.
pub(super) fn value<'q>(query: &'q str, wanted: &str) -> Option<std::borrow::Cow<'q, str>> {
    pairs(query).find(|(name, _)| *name == wanted).and_then(|(_, value)| decode(value))
}

/// What the caller calls the server; HTTP/2 has it in the address. It goes into an address that others follow, so
/// nothing but a host and a port may be in it.
fn host<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Option<&'r str> {
    let authority = uri.authority().map(|authority| authority.as_str());
    let host = authority.or_else(|| headers.get(header::HOST)?.to_str().ok())?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    (!host.is_empty() && host.len() <= HOST_BYTES_MAX && host.bytes().all(is_plain)).then_some(host)
}
