use axum::response::IntoResponse;
use axum::response::Response;

use crate::error::ErrorCode;

/// Answers a request for an address where there is nothing.
pub async fn not_found() -> Response {
    ErrorCode::NotFound.into_response()
}

/// Answers a request with a method that its address does not know.
pub async fn method_not_allowed() -> Response {
    ErrorCode::MethodNotAllowed.into_response()
}
