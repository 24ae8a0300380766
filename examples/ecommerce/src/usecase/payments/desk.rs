use std::sync::Arc;
use std::time::Duration;

use idempotency::{Failure, FailureClass, IdempotencyKey, Outcome, Reconciled};
use lock_core::{FencingToken, LockManager, distributed_lock};

use super::ending::{give_back, settle};
use super::paid::Paid;
use super::payable::Payable;
use super::reserve::reserve;
use crate::error::{ErrorCode, ShopError};
use crate::gateway::{GatewayPayment, PaymentGateway, Verdict};
use crate::lab::{Crash, CrashAt};
use crate::model::{OrderId, PaymentStatus, Timestamp, UserId};
use crate::store::payments::{self, PaymentRow};
use crate::store::{Conn, Database, Leased, Once};
use crate::usecase::retried::retried;

/// Takes payments. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct PaymentDesk {
    pub(super) database: Database,
    locks: LockManager,
    once: Once,
    gateway: Arc<dyn PaymentGateway>,
    pub(super) settings: PaymentSettings,
}

/// What a [`PaymentDesk`] is told.
#[derive(Debug, Clone, Copy)]
pub struct PaymentSettings {
    /// How long the gateway may take to answer.
    pub gateway_timeout: Duration,
    /// How old a payment without an answer is when the gateway is asked about it.
    pub reconcile_after: Duration,
    /// Whether all instances take their tokens from one place, so that a token says who came later.
    pub tokens_are_shared: bool,
    /// Where this process is to die, to show what is left behind.
    pub crash: Crash,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// A client: the payment is to be made.
    Client,
    /// The reconciler: it is to be found out what became of it.
    Reconciler,
}

impl PaymentDesk {
    /// A desk on the shop's database, locks and keys.
    pub fn new(
        database: Database,
        locks: LockManager,
        once: Once,
        gateway: Arc<dyn PaymentGateway>,
        settings: PaymentSettings,
    ) -> Self {
        Self { database, locks, once, gateway, settings }
    }

    /// Pays the user's order, once per key.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::OrderNotFound`] (another user's order too), [`ErrorCode::OrderNotPending`],
    /// [`ErrorCode::StockShort`], [`ErrorCode::BalanceShort`], [`ErrorCode::PaymentDeclined`],
    /// [`ErrorCode::PaymentUnknown`], [`ErrorCode::KeyReused`], [`ErrorCode::Busy`], or the database or the locks are
    /// away.
    pub async fn pay(
        &self,
        order: OrderId,
        user: UserId,
        key: &IdempotencyKey,
    ) -> Result<Outcome<Paid>, ShopError> {
        let payable = Payable::load(&self.database, order, user).await?;
        self.pay_locked(&payable, key, Asker::Client).await
    }

    #[distributed_lock(
        keys = payable.lock_keys(),
        wait = "10s",
        lease = "30s",
        manager = self.locks,
        guard = lock
    )]
    pub(super) async fn pay_locked(
        &self,
        payable: &Payable,
        key: &IdempotencyKey,
        asker: Asker,
    ) -> Result<Outcome<Paid>, ShopError> {
        let token = lock.token_of(&payable.balance_key()).filter(|_| self.settings.tokens_are_shared);
        let work = async |lease: Leased<'_>| match asker {
            Asker::Client => self.make(payable, key, token, lease).await,
            Asker::Reconciler => Err(ShopError::Busy),
        };
        let find_out = async || self.find_out(payable, key, asker).await;
        self.once.lease("payment", key.clone(), &payable.what(), work, find_out).await
    }

    async fn make(
        &self,
        payable: &Payable,
        key: &IdempotencyKey,
        token: Option<FencingToken>,
        lease: Leased<'_>,
    ) -> Result<Paid, ShopError> {
        self.settings.crash.at(CrashAt::Claimed);
        let payment = retried("payment", || self.reserve_once(payable, key, token)).await?;
        self.settings.crash.at(CrashAt::Reserved);
        let verdict = self.ask(&payment).await;
        self.settings.crash.at(CrashAt::Answered);
        // From here on, what fails leaves the payment standing: its outcome is not known until it is found out.
        let ended = match verdict {
            Some(verdict) => self.end(payable, &payment, verdict, Some(lease)).await,
            None => self.mark_unknown(&payment).await,
        };
        self.settings.crash.at(CrashAt::Ended);
        match ended {
            Ok(Some(paid)) => Ok(paid),
            Ok(None) if verdict == Some(Verdict::Declined) => Err(ErrorCode::PaymentDeclined.into()),
            Ok(None) => Err(ShopError::PaymentUnknown { source: None }),
            Err(error) => Err(ShopError::PaymentUnknown { source: Some(Box::new(error)) }),
        }
    }

    async fn reserve_once(
        &self,
        payable: &Payable,
        key: &IdempotencyKey,
        token: Option<FencingToken>,
    ) -> Result<PaymentRow, ShopError> {
        let work = async |mut conn: Conn<'_>| reserve(&mut conn, payable, key.as_str(), token).await;
        match self.database.transaction(work).await {
            // COMMIT may have been carried out: the payment's row will tell.
            Err(error @ ShopError::Store(_)) if error.code() == ErrorCode::Unavailable => {
                Err(ShopError::PaymentUnknown { source: Some(Box::new(error)) })
            }
            reserved => reserved,
        }
    }

    /// The gateway's verdict; `None` when it does not answer.
    async fn ask(&self, payment: &PaymentRow) -> Option<Verdict> {
        let asked = GatewayPayment {
            payment_id: payment.payment_id.clone(),
            amount: payment.amount,
            reference: payment.idempotency_key.clone(),
        };
        match tokio::time::timeout(self.settings.gateway_timeout, self.gateway.pay(&asked)).await {
            Ok(Ok(verdict)) => Some(verdict),
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the payment's outcome is unknown");
                None
            }
            Err(_) => {
                tracing::warn!(
                    payment = payment.payment_id,
                    "the payment's outcome is unknown: no answer in time"
                );
                None
            }
        }
    }

    /// Ends the payment as the gateway decided; with the lease, the answer commits together with it.
    async fn end(
        &self,
        payable: &Payable,
        payment: &PaymentRow,
        verdict: Verdict,
        lease: Option<Leased<'_>>,
    ) -> Result<Option<Paid>, ShopError> {
        retried("payment", || self.end_once(payable, payment, verdict, lease)).await
    }

    async fn end_once(
        &self,
        payable: &Payable,
        payment: &PaymentRow,
        verdict: Verdict,
        lease: Option<Leased<'_>>,
    ) -> Result<Option<Paid>, ShopError> {
        let work = async |mut conn: Conn<'_>| match verdict {
            Verdict::Approved => {
                let paid = settle(&mut conn, payable, payment).await?;
                if let (Some(paid), Some(lease)) = (&paid, lease) {
                    lease.complete_in(&mut conn, paid).await?;
                }
                Ok(paid)
            }
            Verdict::Declined => give_back(&mut conn, payable, payment).await.map(|()| None),
        };
        self.database.transaction(work).await
    }

    async fn mark_unknown(&self, payment: &PaymentRow) -> Result<Option<Paid>, ShopError> {
        let mut writer = self.database.writer().await?;
        payments::mark_unknown(&mut writer.conn(), &payment.payment_id).await?;
        Ok(None)
    }

    /// What became of a payment whose request ended without anybody knowing.
    async fn find_out(
        &self,
        payable: &Payable,
        key: &IdempotencyKey,
        asker: Asker,
    ) -> Result<Reconciled<Paid>, ShopError> {
        let Some(payment) = self.last_payment(payable, key).await? else {
            return Ok(Reconciled::NotApplied);
        };
        match payment.status {
            PaymentStatus::Settled => {
                Ok(Reconciled::Applied(Paid::new(&payment, payment.settled_at.unwrap_or(payment.created_at))))
            }
            PaymentStatus::Returned => declined(),
            PaymentStatus::Reserved | PaymentStatus::Unknown => match asker {
                Asker::Client => Ok(Reconciled::StillUnknown),
                Asker::Reconciler => self.ask_again(payable, &payment).await,
            },
        }
    }

    async fn ask_again(
        &self,
        payable: &Payable,
        payment: &PaymentRow,
    ) -> Result<Reconciled<Paid>, ShopError> {
        let found =
            tokio::time::timeout(self.settings.gateway_timeout, self.gateway.find(&payment.payment_id));
        let Ok(Ok(verdict)) = found.await else {
            return Ok(Reconciled::StillUnknown);
        };
        // It never heard of it: as good as declined.
        let verdict = verdict.unwrap_or(Verdict::Declined);
        let paid = self.end(payable, payment, verdict, None).await?;
        tracing::info!(payment = payment.payment_id, ?verdict, "a payment was reconciled");
        match (paid, verdict) {
            (Some(paid), _) => Ok(Reconciled::Applied(paid)),
            (None, Verdict::Declined) => declined(),
            // Somebody else was faster; the next look tells.
            (None, Verdict::Approved) => Ok(Reconciled::StillUnknown),
        }
    }

    async fn last_payment(
        &self,
        payable: &Payable,
        key: &IdempotencyKey,
    ) -> Result<Option<PaymentRow>, ShopError> {
        let mut reader = self.database.reader().await?;
        Ok(payments::last(&mut reader.conn(), payable.order.id, key.as_str()).await?)
    }

    /// The moment before which payments without an answer are asked about.
    pub(super) fn due(&self) -> Timestamp {
        Timestamp::now().before(self.settings.reconcile_after)
    }
}

/// The key tells from now on that the payment was declined, as it would had the gateway answered at once.
fn declined() -> Result<Reconciled<Paid>, ShopError> {
    let error = ShopError::from(ErrorCode::PaymentDeclined);
    match error.class() {
        FailureClass::Refused(refusal) => Ok(Reconciled::Refused(refusal)),
        _ => Err(error),
    }
}
