use std::fmt;

use axum::http::{HeaderMap, HeaderValue};
use uuid::Uuid;

/// What ties the log lines and the answer of one request together.
#[derive(Debug, Clone)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The header that carries it, in requests and in answers.
    pub const HEADER: &'static str = "x-request-id";
    const MAX_LEN: usize = 128;

    /// The caller's own, if it sent a sensible one, else a fresh one.
    pub fn of(headers: &HeaderMap) -> Self {
        let sent = headers.get(Self::HEADER).filter(|id| {
            let bytes = id.as_bytes();
            // What is written to the log must not be able to forge a log line.
            (1..=Self::MAX_LEN).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
        });
        sent.cloned().map_or_else(Self::fresh, Self)
    }

    /// As a header's value.
    pub fn into_header(self) -> HeaderValue {
        self.0
    }

    fn fresh() -> Self {
        let text = Uuid::new_v4().to_string();
        Self(HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("-")))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or("-"))
    }
}
