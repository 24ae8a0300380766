//! Charging a balance: the user's lock, one transaction that holds the idempotency key and the effect, a version check
//! that is retried, and the lock's token checked where the balance is written.

use idempotency::{IdempotencyKey, Outcome};
use lock_core::{FencingToken, LockManager, distributed_lock};
use serde::{Deserialize, Serialize};

use super::retried::retried;
use crate::error::{ErrorCode, Refusal, ShopError};
use crate::model::{Amount, Timestamp, UserId};
use crate::settings::{Settings, Switch};
use crate::store::users::{self, NewBalance};
use crate::store::{Conn, Once};

/// What is asked for.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Charge {
    /// Whose balance.
    pub user_id: UserId,
    /// How much comes on top.
    pub amount: Amount,
}

/// What was done; stored with the key, and answered again to a request that comes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Charged {
    user_id: UserId,
    balance: i64,
    charged_amount: i64,
    charged_at: Timestamp,
    transaction_time: Timestamp,
}

/// Charges balances. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Wallet {
    locks: LockManager,
    once: Once,
    lock: Switch,
    /// Whether all instances take their tokens from one place, so that a token says who came later.
    tokens_are_shared: bool,
}

impl Wallet {
    /// A wallet on the shop's locks and keys.
    pub fn new(once: Once, locks: LockManager, settings: &Settings) -> Self {
        Self { locks, once, lock: settings.charge_lock, tokens_are_shared: settings.redis_url.is_some() }
    }

    /// Charges the balance, once per key.
    ///
    /// # Errors
    ///
    /// [`ShopError`] with [`ErrorCode::UserNotFound`], [`ErrorCode::InvalidAmount`] (the balance would not fit),
    /// [`ErrorCode::KeyReused`], [`ErrorCode::Busy`], or the database or the locks are away.
    pub async fn charge(&self, charge: Charge, key: &IdempotencyKey) -> Result<Outcome<Charged>, ShopError> {
        match self.lock {
            Switch::On => self.charge_locked(charge, key).await,
            Switch::Off => self.charge_retried(charge, key, None).await,
        }
    }

    #[distributed_lock(
        key = "balance:user:{charge.user_id}",
        wait = "10s",
        lease = "30s",
        manager = self.locks,
        guard = lock
    )]
    async fn charge_locked(
        &self,
        charge: Charge,
        key: &IdempotencyKey,
    ) -> Result<Outcome<Charged>, ShopError> {
        self.charge_retried(charge, key, Some(lock.token())).await
    }

    async fn charge_retried(
        &self,
        charge: Charge,
        key: &IdempotencyKey,
        token: Option<FencingToken>,
    ) -> Result<Outcome<Charged>, ShopError> {
        let token = token.filter(|_| self.tokens_are_shared);
        retried("charge", || self.charge_once(charge, key, token)).await
    }

    async fn charge_once(
        &self,
        charge: Charge,
        key: &IdempotencyKey,
        token: Option<FencingToken>,
    ) -> Result<Outcome<Charged>, ShopError> {
        let work = async move |mut conn: Conn<'_>| add(&mut conn, charge, token).await;
        self.once.run("charge", key.clone(), &charge, work).await
    }
}

/// The most that a balance may be charged up to, in won. What payments give back later must fit besides, whatever the
/// balance is by then.
const MOST: i64 = 1_000_000_000_000_000;

/// The effect itself, in the transaction of the key.
async fn add(conn: &mut Conn<'_>, charge: Charge, token: Option<FencingToken>) -> Result<Charged, ShopError> {
    let user = users::find(conn, charge.user_id).await?.ok_or(ErrorCode::UserNotFound)?;
    let balance =
        user.balance.checked_add(charge.amount.won()).filter(|balance| *balance <= MOST).ok_or_else(
            || Refusal::because(ErrorCode::InvalidAmount, "the balance would become too large"),
        )?;
    let fence = user.fence_under(token)?;
    if !users::set_balance(conn, &user, NewBalance { balance, fence }).await? {
        return Err(ShopError::VersionConflict);
    }
    let now = Timestamp::now();
    Ok(Charged {
        user_id: user.id,
        balance,
        charged_amount: charge.amount.won(),
        charged_at: now,
        transaction_time: now,
    })
}
