use http::StatusCode;

/// What a response means for its key.
///
/// A handler that knows better than its [status](Self::of) says so in the extensions of its response, which go before
/// [`classify`](super::IdempotencyLayer::classify):
///
/// ```
/// use axum::{Extension, http::StatusCode, response::IntoResponse};
/// use idempotency::ResponseClass;
///
/// async fn charge() -> impl IntoResponse {
///     // Before any money has moved.
///     (StatusCode::SERVICE_UNAVAILABLE, Extension(ResponseClass::NotStarted))
/// }
/// # let _ = charge;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseClass {
    /// It is kept and replayed.
    Kept,
    /// The work did not begin: the key is as unused as before.
    NotStarted,
    /// The work was undone: the same request may run again.
    RolledBack,
    /// Nobody knows whether it took effect: it never runs again by itself.
    MaybeApplied,
}

impl ResponseClass {
    /// Judges by the status alone, where the application does not.
    ///
    /// What a client can put right before it tries again, and what holds it back, did not begin: 401, 403, 409, 422,
    /// 425, 429 and 501. A handler has to answer these before its effect: the same request runs again.
    ///
    /// Nobody knows of 502, 503 and 504: something that the handler calls failed, perhaps after the effect. Nor of a
    /// 408: the request is there, so that it is a handler that was stopped half-way by a time limit within the layer.
    /// All else is kept, 500 included: by then the work may have taken effect, and a repeat must not do it twice.
    pub fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            401 | 403 | 409 | 422 | 425 | 429 | 501 => Self::NotStarted,
            408 | 502 | 503 | 504 => Self::MaybeApplied,
            _ => Self::Kept,
        }
    }
}
