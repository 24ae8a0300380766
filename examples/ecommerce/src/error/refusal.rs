use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::ErrorCode;

/// A request that the shop understood and decided against. Asked again, it decides the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Which decision.
    pub code: ErrorCode,
    /// The reason, for a person.
    pub message: Cow<'static, str>,
}

impl Refusal {
    /// A refusal with a reason of its own.
    pub fn because(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
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
