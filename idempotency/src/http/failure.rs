use http::Response;

use super::ResponseClass;
use crate::{Failure, FailureClass, IdempotencyError};

/// Why a response is not kept.
pub(super) enum HttpFailure<B, E> {
    /// Its class says so.
    Response(ResponseClass, Response<B>),
    /// The service failed.
    Service(E),
    /// The response's body broke off.
    Body,
    /// The request was not run, or not recorded.
    Idempotency(IdempotencyError),
}

impl<B, E> From<IdempotencyError> for HttpFailure<B, E> {
    fn from(error: IdempotencyError) -> Self {
        Self::Idempotency(error)
    }
}

impl<B, E> Failure for HttpFailure<B, E> {
    fn class(&self) -> FailureClass {
        match self {
            Self::Response(ResponseClass::NotStarted, _) => FailureClass::NotStarted,
            Self::Response(ResponseClass::RolledBack, _) | Self::Idempotency(_) => FailureClass::RolledBack,
            Self::Response(..) | Self::Service(_) | Self::Body => FailureClass::MaybeApplied,
        }
    }

    fn message(&self) -> Option<String> {
        match self {
            Self::Response(_, response) => Some(format!("the handler answered {}", response.status())),
            Self::Service(_) => Some("the service failed".into()),
            Self::Body => Some("the response broke off".into()),
            Self::Idempotency(_) => None,
        }
    }
}
