use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use idempotency::Outcome;

/// The header of an answer that was given before.
pub(crate) const REPLAYED: [(HeaderName, HeaderValue); 1] =
    [(HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"))];

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
        (self.status, replayed.then_some(REPLAYED), [(CONTENT_TYPE, json)], body).into_response()
    }
}
