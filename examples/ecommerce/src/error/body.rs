use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::ErrorCode;
use crate::model::Timestamp;

/// The body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ErrorBody {
    /// What clients tell errors apart by.
    pub code: ErrorCode,
    /// What went wrong, for a person.
    #[schema(value_type = String)]
    pub message: Cow<'static, str>,
    /// When it was answered.
    pub timestamp: Timestamp,
}
