use std::{fmt, sync::Arc};

use crate::{
    KeyId, Settings,
    store::{ClaimOutcome, Settlement, StoredResponse},
};

/// What happens to requests, for a [hook](Settings::on_event), the logs and the counter `idempotency_requests_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// The key is the request's: its work begins.
    Started,
    /// The request was answered with what was stored.
    Replayed,
    /// Somebody else is at work, and the wait is over.
    InFlight,
    /// The key belongs to another request.
    Mismatch,
    /// Nobody knows whether the work took effect, this time or an earlier one.
    Unknown,
    /// The work was refused, for good.
    Refused,
    /// The work failed, and may run again.
    Failed,
    /// The key was taken over while the work was under way.
    Fenced,
    /// The store failed.
    StoreError,
}

/// A function of the user's that sees each event.
#[derive(Clone)]
pub(crate) struct Hook(pub(crate) Arc<OnEvent>);

type OnEvent = dyn Fn(Event, &str, &KeyId) + Send + Sync;

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
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

    /// Returns the name that logs and the counter have for it.
    pub const fn name(self) -> &'static str {
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

    /// Logs and counts the event, and tells the hook. Of the key only a digest is shown, of the tenant nothing.
    pub(crate) fn report(self, settings: &Settings, operation: &str, id: &KeyId) {
        if let Some(Hook(hook)) = &settings.hook {
            hook(self, operation, id);
        }
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
