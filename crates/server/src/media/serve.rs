//! Serves files to whoever has their address.
//!
//! The bytes are strangers': nothing of them may run under the server's name. Types are from a closed list, browsers
//! may not guess another one, what is not an image, sound or video is only downloaded, and a sandbox is around all.

use super::Media;
use super::download::download;
use super::locator::{Locator, Variant, tame_name};
use super::range::{Wanted, wanted};
use super::url::Leave;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use metrics::counter;
use protocol::client::MediaKind;
use protocol::url::encode;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// A file never changes under its address.
const YEAR_SECS: u64 = 365 * 24 * 60 * 60;
const SANDBOX: &str =
    "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'";

pub(super) async fn serve(
    State(media): State<Arc<Media>>,
    path: Result<Path<(String, String, String)>, PathRejection>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let asked = path.ok().and_then(|Path((sdkappid, file, name))| {
        Some(Asked { file: Locator::parse(&sdkappid, &file)?, name, query: query.unwrap_or_default() })
    });
    let mut response = match (asked, &method) {
        (_, &Method::OPTIONS) => StatusCode::NO_CONTENT.into_response(),
        (Some(asked), &Method::GET | &Method::HEAD) => media.answer(&asked, &method, &headers).await,
        (None, &Method::GET | &Method::HEAD) => plain(StatusCode::NOT_FOUND),
        _ => plain(StatusCode::METHOD_NOT_ALLOWED),
    };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    }
    let status = response.status().as_u16().to_string();
    counter!("couplet_media_requests_total", "status" => status).increment(1);
    open_to_all(response.headers_mut(), "GET, HEAD");
    response
}

/// Addresses that are none.
pub(super) async fn nothing() -> Response {
    plain(StatusCode::NOT_FOUND)
}

struct Asked {
    file: Locator,
    name: String,
    query: String,
}

impl Media {
    async fn answer(&self, asked: &Asked, method: &Method, headers: &HeaderMap) -> Response {
        let Asked { file, name, query } = asked;
        let Leave::Granted { until_s } = self.leave(file, name, query) else {
            return plain(StatusCode::FORBIDDEN);
        };
        let size = match self.shelf.size(file).await {
            Ok(Some(size)) => size,
            Ok(None) => return plain(StatusCode::NOT_FOUND),
            Err(error) => return unavailable(&error),
        };
        let tag = tag(file);
        let max_age_secs = until_s.map(|until_s| until_s.saturating_sub(self.now_s()));
        let mut response = if names(headers, header::IF_NONE_MATCH, &tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            // A part of another version would be of no use; there is none, but whoever asks does not know that.
            let is_meant = !headers.contains_key(header::IF_RANGE) || names(headers, header::IF_RANGE, &tag);
            let range = headers.get(header::RANGE).filter(|_| is_meant && method == Method::GET);
            match wanted(range.and_then(|range| range.to_str().ok()), size) {
                Wanted::Nothing => nothing_there(size),
                Wanted::Part(part) => match self.content(file, method, part.clone()).await {
                    Ok(body) => partial(body, &part, size),
                    Err(refused) => return refused,
                },
                Wanted::Whole => match self.content(file, method, 0..size).await {
                    Ok(body) => whole(body, size),
                    Err(refused) => return refused,
                },
            }
        };
        describe(response.headers_mut(), file, name, &tag, max_age_secs);
        response
    }

    /// The bytes themselves, or why they cannot be had now.
    async fn content(&self, file: &Locator, method: &Method, range: Range<u64>) -> Result<Body, Response> {
        if method == Method::HEAD || range.is_empty() {
            return Ok(Body::empty());
        }
        let permit = Arc::clone(&self.downloads).try_acquire_owned().map_err(|_| busy())?;
        let size = range.end - range.start;
        let chunks = self.shelf.read(file, range).await.map_err(|error| unavailable(&error))?;
        Ok(download(chunks, size, permit, &self.tasks))
    }
}

fn describe(headers: &mut HeaderMap, file: &Locator, name: &str, tag: &str, max_age_secs: Option<u64>) {
    let format = file.part.format;
    let cache = match max_age_secs {
        None => format!("public, max-age={YEAR_SECS}, immutable"),
        Some(secs) => format!("private, max-age={secs}, immutable"),
    };
    set(headers, header::CACHE_CONTROL, &cache);
    set(headers, header::ETAG, tag);
    set(headers, header::ACCEPT_RANGES, "bytes");
    set(headers, header::CONTENT_TYPE, format.media_type());
    set(headers, header::CONTENT_DISPOSITION, &disposition(format.kind(), name));
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, header::CONTENT_SECURITY_POLICY, SANDBOX);
}

/// Shown or downloaded, and under which name, escaped as RFC 8187 has it.
fn disposition(kind: MediaKind, name: &str) -> String {
    let way = if kind == MediaKind::File { "attachment" } else { "inline" };
    let mut escaped = String::new();
    encode(&mut escaped, &tame_name(name));
    // The one character that addresses may have, and these names may not.
    format!("{way}; filename*=UTF-8''{}", escaped.replace(':', "%3A"))
}

/// Its id says all: a file never changes.
fn tag(file: &Locator) -> String {
    match file.part.variant {
        Variant::Original => format!("\"{}\"", file.id),
        variant => format!("\"{}.{}\"", file.id, variant.name()),
    }
}

/// Whether a header names this tag among others. A weak one will do: the bytes are the same.
fn names(headers: &HeaderMap, header: HeaderName, tag: &str) -> bool {
    headers.get_all(header).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
    })
}

fn whole(body: Body, size: u64) -> Response {
    let mut response = Response::new(body);
    set(response.headers_mut(), header::CONTENT_LENGTH, &size.to_string());
    response
}

fn partial(body: Body, part: &Range<u64>, size: u64) -> Response {
    let mut response = whole(body, part.end - part.start);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    let content_range = format!("bytes {}-{}/{size}", part.start, part.end - 1);
    set(response.headers_mut(), header::CONTENT_RANGE, &content_range);
    response
}

fn nothing_there(size: u64) -> Response {
    let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    set(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{size}"));
    response
}

fn busy() -> Response {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE);
    set(response.headers_mut(), header::RETRY_AFTER, "1");
    response
}

fn unavailable(error: &io::Error) -> Response {
    tracing::error!(error = crate::causes::chain(error), "a file cannot be read");
    plain(StatusCode::SERVICE_UNAVAILABLE)
}

fn plain(status: StatusCode) -> Response {
    let text = format!("{}\n", status.canonical_reason().unwrap_or_default());
    let mut response = (status, text).into_response();
    // Neither that it is missing nor that it is late stays true for long.
    set(response.headers_mut(), header::CACHE_CONTROL, "no-store");
    response
}

/// Any page may use these addresses: no credentials go with them that a page could misuse.
pub(super) fn open_to_all(headers: &mut HeaderMap, methods: &'static str) {
    set(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(headers, header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    set(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, range, if-none-match, if-range");
    set(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, "content-length, content-range, accept-ranges, etag");
    set(headers, header::ACCESS_CONTROL_MAX_AGE, "86400");
    set(headers, HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    let value = HeaderValue::from_str(value).expect("what is set is ASCII, with everything else escaped");
    headers.insert(name, value);
}
