use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;

use super::{Profile, key_header::BadHeader};
use crate::IdempotencyError;

/// An answer of the layer's own, as RFC 9457 has it.
pub(super) struct Problem {
    status: StatusCode,
    kind: &'static str,
    title: String,
    detail: Option<String>,
    retry_after: Option<Duration>,
}

impl Problem {
    pub(super) fn key_missing() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "key-missing", "this request needs the header Idempotency-Key")
    }

    pub(super) fn key_invalid(error: BadHeader) -> Self {
        let title = match error {
            BadHeader::Twice => "the header Idempotency-Key is given more than once".to_owned(),
            BadHeader::Quotes => "the header Idempotency-Key is not a well-formed string".to_owned(),
            BadHeader::Key(error) => error.to_string(),
        };
        Self::new(StatusCode::BAD_REQUEST, "key-invalid", title)
    }

    pub(super) fn request_too_large() -> Self {
        let title = "the body is too large for a request with an idempotency key";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "request-too-large", title)
    }

    pub(super) fn request_unreadable() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "request-unreadable", "the body of the request could not be read")
    }

    /// For a repeat: who came first got the response.
    pub(super) fn response_too_large(status: StatusCode) -> Self {
        let title = "the request was carried out, but its response was too large to be kept";
        let detail = format!("It was answered with status {status}.");
        Self {
            detail: Some(detail),
            ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, "response-too-large", title)
        }
    }

    pub(super) fn response_broken() -> Self {
        let title = "the response broke off: it is not known whether the request was carried out";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "response-broken", title)
    }

    /// What an error of the engine is to a client: nothing of what is inside.
    pub(super) fn of(error: &IdempotencyError, profile: Profile) -> Self {
        let problem = |status, kind| Self::new(status, kind, error.to_string());
        match error {
            IdempotencyError::Key(_) | IdempotencyError::Scope(_) => {
                problem(StatusCode::BAD_REQUEST, "key-invalid")
            }
            IdempotencyError::InFlight { retry_after } => {
                Self { retry_after: Some(*retry_after), ..problem(StatusCode::CONFLICT, "in-flight") }
            }
            IdempotencyError::Mismatch => problem(
                match profile {
                    Profile::Ietf => StatusCode::UNPROCESSABLE_ENTITY,
                    Profile::Stripe => StatusCode::BAD_REQUEST,
                },
                "mismatch",
            ),
            IdempotencyError::Unknown => problem(StatusCode::CONFLICT, "outcome-unknown"),
            error if error.is_transient() => Self {
                retry_after: Some(Duration::from_secs(1)),
                ..problem(StatusCode::SERVICE_UNAVAILABLE, "store-unavailable")
            },
            _ => problem(StatusCode::INTERNAL_SERVER_ERROR, "failed"),
        }
    }

    fn new(status: StatusCode, kind: &'static str, title: impl Into<String>) -> Self {
        Self { status, kind, title: title.into(), detail: None, retry_after: None }
    }

    pub(super) fn into_response<B: From<Bytes>>(self) -> Response<B> {
        let mut body = json!({
            "type": format!("urn:idempotency:{}", self.kind),
            "title": self.title,
            "status": self.status.as_u16(),
        });
        if let Some(detail) = self.detail {
            body["detail"] = detail.into();
        }
        let mut response = Response::new(B::from(Bytes::from(body.to_string())));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(after) = self.retry_after {
            // Whole seconds, and no invitation to come back at once.
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}
