use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use idempotency::Outcome;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The answer to a request with an idempotency key: the stored bytes, so that each repeat gets the very same ones.
#[derive(Debug)]
pub struct Replayable<T> {
    status: StatusCode,
    outcome: Outcome<T>,
}

impl<T> Replayable<T> {
    /// Answers with this status, the first time and each time after.
    pub fn new(status: StatusCode, outcome: Outcome<T>) -> Self {
        Self { status, outcome }
    }
}

impl<T> IntoResponse for Replayable<T> {
    fn into_response(self) -> Response {
        let replayed = self.outcome.replayed();
        let body = self.outcome.into_payload().into_bytes();
        let json = HeaderValue::from_static("application/json");
        let mut response = (self.status, [(CONTENT_TYPE, json)], body).into_response();
        if replayed {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}
