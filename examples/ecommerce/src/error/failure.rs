use idempotency::{Failure, FailureClass, Payload};

use super::{Refusal, ShopError};

/// What each error means for the idempotency key of the request.
impl Failure for ShopError {
    fn class(&self) -> FailureClass {
        match self {
            Self::Refused(refusal) if refusal.code.is_final() => FailureClass::refused(refusal),
            Self::Refused(_) | Self::Lock(_) | Self::Busy => FailureClass::NotStarted,
            Self::PaymentUnknown { .. } => FailureClass::MaybeApplied,
            // Nothing of the transaction stands: the same key may run again.
            _ => FailureClass::RolledBack,
        }
    }

    fn from_refusal(refusal: &Payload) -> Option<Self> {
        let refusal = refusal.read_json::<Refusal>().ok()?;
        Some(Self::Refused(Refusal { replayed: true, ..refusal }))
    }
}
