use std::time::Duration;

use idempotency::IdempotencyKey;
use tokio_util::sync::CancellationToken;

use super::desk::{Asker, PaymentDesk};
use super::payable::Payable;
use crate::background::rounds;
use crate::error::{ErrorCode, ShopError};
use crate::store::payments::{self, PaymentRow};

/// How many payments are looked at in one go.
const BATCH: i64 = 100;
/// How long the reconciler rests between two looks.
const PAUSE: Duration = Duration::from_secs(1);

impl PaymentDesk {
    /// Finds out, again and again, what became of payments that have no answer, until `stop`.
    pub async fn reconcile(self, stop: CancellationToken) {
        rounds("reconciler", PAUSE, stop, async || self.reconcile_due().await.into()).await;
    }

    async fn reconcile_due(&self) -> Result<(), ShopError> {
        let due = {
            let mut reader = self.database.reader().await?;
            payments::unanswered(&mut reader.conn(), self.due(), BATCH).await?
        };
        metrics::gauge!("shop_payments_unanswered").set(due.len() as f64);
        for payment in due {
            let outcome = match self.reconcile_one(&payment).await {
                Ok(()) => "settled",
                Err(error) => match error.code() {
                    ErrorCode::PaymentDeclined => "returned",
                    // Still under way, or somebody else is at it.
                    ErrorCode::Busy | ErrorCode::PaymentUnknown => "open",
                    _ => {
                        let error: &dyn std::error::Error = &error;
                        tracing::warn!(error, payment = payment.payment_id, "a payment was not reconciled");
                        "failed"
                    }
                },
            };
            metrics::counter!("shop_reconciled_total", "outcome" => outcome).increment(1);
        }
        Ok(())
    }

    /// Asks as the client would, under the same locks and the same key.
    async fn reconcile_one(&self, payment: &PaymentRow) -> Result<(), ShopError> {
        let key = IdempotencyKey::new(payment.idempotency_key.clone())
            .map_err(|_| ShopError::Internal { what: "a payment has an idempotency key that is none" })?;
        let payable = Payable::load(&self.database, payment.order_id, payment.user_id).await?;
        self.pay_locked(&payable, &key, Asker::Reconciler).await.map(drop)
    }
}
