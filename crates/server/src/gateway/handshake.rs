//! From an HTTP request to a WebSocket.

use axum::http::header::{
    CONNECTION, HeaderName, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use protocol::websocket;

/// The only version that there is.
const VERSION: &str = "13";

/// Agrees to a WebSocket by switching protocols, or says what is missing.
pub(super) fn answer(method: &Method, headers: &HeaderMap) -> Response {
    if method != Method::GET {
        return (StatusCode::METHOD_NOT_ALLOWED, "a WebSocket begins with GET\n").into_response();
    }
    if !names(headers, &CONNECTION, "upgrade") || !names(headers, &UPGRADE, "websocket") {
        let upgrade = [(UPGRADE, "websocket"), (CONNECTION, "upgrade")];
        return (StatusCode::UPGRADE_REQUIRED, upgrade, "this is a WebSocket\n").into_response();
    }
    if !names(headers, &SEC_WEBSOCKET_VERSION, VERSION) {
        let version = [(SEC_WEBSOCKET_VERSION, VERSION)];
        return (StatusCode::BAD_REQUEST, version, "unknown version of WebSocket\n").into_response();
    }
    let Some(key) = headers.get(SEC_WEBSOCKET_KEY) else {
        return (StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is missing\n").into_response();
    };
    let accept = websocket::accept_key(key.as_bytes());
    let headers = [(CONNECTION, "upgrade"), (UPGRADE, "websocket"), (SEC_WEBSOCKET_ACCEPT, &accept)];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// Whether a header's list of words, over as many lines as it likes, has this one.
fn names(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|said| said.trim().eq_ignore_ascii_case(word))
}
