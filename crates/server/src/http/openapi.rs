//! `/openapi.json`: the document of the v4 API, for everybody.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// Written by `cargo xtask codegen` from the tables that also the reference is written from.
const OPENAPI: &str = include_str!("../../../../docs/reference/rest-openapi.json");

pub(super) async fn document() -> Response {
    let mut response = OPENAPI.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
