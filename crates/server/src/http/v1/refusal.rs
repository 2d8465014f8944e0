//! What is answered when a call is not carried out: a status, and a body like that of the v4 API.

use crate::steering::SteerError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chat::port::StoreError;
use protocol::{ErrorCode, Failure};
use serde::Serialize;

/// When to come back after 503.
const RETRY_AFTER_SECS: &str = "1";

/// A call that is not carried out.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    failure: Failure,
    /// From where a reader may go on although it missed something.
    next: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "ActionStatus")]
    action_status: &'static str,
    #[serde(rename = "ErrorCode")]
    code: u32,
    #[serde(rename = "ErrorInfo")]
    info: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'a str>,
}

impl Refused {
    fn new(status: StatusCode, failure: impl Into<Failure>) -> Self {
        Self { status, failure: failure.into(), next: None }
    }

    pub(super) fn bad_parameter(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::BadParameter.with(why.into()))
    }

    pub(super) fn unknown_endpoint() -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorCode::UnknownEndpoint)
    }

    pub(super) fn unknown_event(why: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorCode::UnknownEvent.with(why.into()))
    }

    /// `next` is where a reader that has taken note of it may go on.
    pub(super) fn gone(why: impl Into<String>, next: String) -> Self {
        let refused = Self::new(StatusCode::GONE, ErrorCode::PositionGone.with(why.into()));
        Self { next: Some(next), ..refused }
    }

    pub(super) fn unknown_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorCode::UnknownCommand.with("there is no such path"))
    }

    pub(super) fn wrong_method() -> Self {
        let failure = ErrorCode::UnknownCommand.with("this path takes another method");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, failure)
    }

    pub(super) fn crowded() -> Self {
        let failure = ErrorCode::TooManyOutstanding.with("too many callers wait for events already");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, failure)
    }

    /// Whoever did not prove to be an admin of the app.
    pub(super) fn access(failure: Failure) -> Self {
        let status = match ErrorCode::from_number(failure.code) {
            Some(ErrorCode::NotAdmin) => StatusCode::FORBIDDEN,
            Some(ErrorCode::AppNotFound) => StatusCode::NOT_FOUND,
            _ => StatusCode::UNAUTHORIZED,
        };
        Self::new(status, failure)
    }

    /// A body that did not come in, or is too much.
    pub(super) fn body(failure: Failure) -> Self {
        let status = match ErrorCode::from_number(failure.code) {
            Some(ErrorCode::PacketTooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, failure)
    }
}

// Logged here, once.
impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a call of the event API failed in the store");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Internal)
    }
}

impl From<SteerError> for Refused {
    fn from(error: SteerError) -> Self {
        match error {
            SteerError::NotRunning | SteerError::NotAnswering => {
                let failure = ErrorCode::Internal.with(error.to_string());
                Self::new(StatusCode::SERVICE_UNAVAILABLE, failure)
            }
            SteerError::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self { status, failure, next } = self;
        let body =
            Body { action_status: "FAIL", code: failure.code, info: &failure.info, next: next.as_deref() };
        let mut response = super::answer(&body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECS));
        }
        response
    }
}
