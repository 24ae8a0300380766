use std::time::Duration;

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};

use super::{ErrorBody, ErrorCode, Refusal, ShopError};
use crate::http::REPLAYED;

/// How long a client should wait before it asks again, in seconds, where we know no better.
const RETRY_AFTER_SECONDS: u64 = 1;

impl IntoResponse for ErrorCode {
    fn into_response(self) -> Response {
        answer(self.into(), None)
    }
}

impl IntoResponse for ShopError {
    fn into_response(self) -> Response {
        let code = self.code();
        let error: &dyn std::error::Error = &self;
        match code {
            ErrorCode::Internal => tracing::error!(error, "request failed"),
            ErrorCode::Unavailable => tracing::warn!(error, "request failed for now"),
            _ => tracing::debug!(error, "request refused"),
        }
        let retry_after = self.retry_after();
        // A refusal is written for the client; what else is in an error stays in the log.
        let refusal = match self {
            Self::Refused(refusal) => refusal,
            _ => code.into(),
        };
        answer(refusal, retry_after)
    }
}

fn answer(refusal: Refusal, retry_after: Option<Duration>) -> Response {
    let Refusal { code, message, timestamp, replayed } = refusal;
    let body = Json(ErrorBody { code, message, timestamp });
    let mut response = (code.status(), replayed.then_some(REPLAYED), body).into_response();
    if code.may_be_asked_again() {
        let seconds = retry_after.map_or(RETRY_AFTER_SECONDS, |after| after.as_secs().max(1));
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}
