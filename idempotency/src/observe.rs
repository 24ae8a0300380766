use crate::{
    KeyId,
    store::{ClaimOutcome, Settlement, StoredResponse},
};

/// How requests end, as the logs and the counter `idempotency_requests_total` name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Started,
    Replayed,
    InFlight,
    Mismatch,
    Unknown,
    Refused,
    Failed,
    Fenced,
    StoreError,
}

impl Event {
    pub(crate) fn of_claim<T>(outcome: &ClaimOutcome<T>) -> Self {
        match outcome {
            ClaimOutcome::Started(_) => Self::Started,
            ClaimOutcome::Replay(_) => Self::Replayed,
            ClaimOutcome::InFlight { .. } => Self::InFlight,
            ClaimOutcome::Mismatch => Self::Mismatch,
            ClaimOutcome::Unknown => Self::Unknown,
        }
    }

    /// What is worth counting of a settlement, beyond that the work had started.
    pub(crate) fn of_settlement(settlement: Option<&Settlement>) -> Option<Self> {
        match settlement {
            Some(Settlement::Completed(StoredResponse::Success(_))) => None,
            Some(Settlement::Completed(StoredResponse::Refusal(_))) => Some(Self::Refused),
            Some(Settlement::Failed { .. }) | None => Some(Self::Failed),
            Some(Settlement::Unknown { .. }) => Some(Self::Unknown),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Replayed => "replayed",
            Self::InFlight => "in_flight",
            Self::Mismatch => "mismatch",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Fenced => "fenced",
            Self::StoreError => "store_error",
        }
    }

    /// Logs and counts the event. Of the key only a digest is shown, of the tenant nothing.
    pub(crate) fn report(self, operation: &str, id: &KeyId) {
        match self {
            Self::Unknown | Self::Fenced | Self::StoreError => {
                tracing::warn!(operation, key = %id, outcome = self.name(), "idempotent request");
            }
            _ => tracing::debug!(operation, key = %id, outcome = self.name(), "idempotent request"),
        }
        #[cfg(feature = "metrics")]
        metrics::counter!(
            "idempotency_requests_total",
            "operation" => operation.to_owned(),
            "outcome" => self.name(),
        )
        .increment(1);
    }
}
