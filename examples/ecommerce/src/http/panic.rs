use std::any::Any;

use axum::response::{IntoResponse, Response};

use crate::error::ErrorCode;

/// Answers a request whose handler panicked. What it said is in the log alone, written by the panic hook.
pub fn panicked(_payload: Box<dyn Any + Send>) -> Response {
    ErrorCode::Internal.into_response()
}
