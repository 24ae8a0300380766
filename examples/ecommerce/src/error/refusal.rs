use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::ErrorCode;
use crate::model::Timestamp;

/// A request that the shop understood and decided against. Asked again, it decides the same; under an idempotency key it
/// answers the same, word for word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Which decision.
    pub code: ErrorCode,
    /// The reason, for a person.
    pub message: Cow<'static, str>,
    /// When it was decided.
    pub timestamp: Timestamp,
    /// Whether it was decided on an earlier request with the same key.
    #[serde(skip)]
    pub replayed: bool,
}

impl Refusal {
    /// A refusal with a reason of its own.
    pub fn because(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), timestamp: Timestamp::now(), replayed: false }
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Self::because(code, code.text())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for Refusal {}
