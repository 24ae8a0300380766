use std::ops::ControlFlow;

use lock_core::{HeldLock, LockError, LockGuard, LockRequest};
use sqlx::Transaction;
use tokio::select;

use crate::{
    Codec, Failure, IdempotencyError, Outcome, Request,
    store::{Fence, FencingStore, Settled, TransactionalStore},
};

/// A request whose transaction runs while a lock is held.
///
/// Made by [`Request::locked`] and [`Request::under`].
#[derive(Debug)]
#[must_use = "a request does nothing until it runs"]
pub struct LockedRequest<'a, 'm, S, C> {
    request: Request<'a, S, C>,
    lock: Lock<'m>,
    fenced: bool,
}

#[derive(Debug)]
enum Lock<'m> {
    ToTake(LockRequest<'m>),
    Held(HeldLock),
}

impl<'a, S, C> Request<'a, S, C> {
    /// Takes `lock` before the transaction begins, and gives it back after the commit.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
    /// # mod example {
    /// use std::time::Duration;
    ///
    /// use idempotency::{Idempotency, IdempotencyError, SqliteStore};
    /// use lock_core::LockManager;
    ///
    /// # #[derive(Debug, thiserror::Error)]
    /// # enum WalletError {
    /// #     #[error(transparent)] Database(#[from] sqlx::Error),
    /// #     #[error(transparent)] Idempotency(#[from] IdempotencyError),
    /// # }
    /// # impl idempotency::Failure for WalletError {}
    /// async fn charge(
    ///     once: &Idempotency<SqliteStore>,
    ///     locks: &LockManager,
    ///     key: &str,
    ///     user: i64,
    ///     amount: i64,
    /// ) -> Result<i64, WalletError> {
    ///     let lock = locks.lock(format!("balance:user:{user}")).wait(Duration::from_secs(10));
    ///     let outcome = once
    ///         .request("charge", key)?
    ///         .tenant(user)
    ///         .fingerprint(&amount)
    ///         .locked(lock)
    ///         .transaction(async |tx, _lock| {
    ///             let sql = "UPDATE users SET balance = balance + ? WHERE id = ? RETURNING balance";
    ///             let balance = sqlx::query_scalar(sql).bind(amount).bind(user).fetch_one(&mut **tx).await?;
    ///             Ok::<i64, WalletError>(balance)
    ///         })
    ///         .await?;
    ///     Ok(outcome.into_inner())
    /// }
    /// # }
    /// ```
    pub fn locked<'m>(self, lock: LockRequest<'m>) -> LockedRequest<'a, 'm, S, C> {
        LockedRequest { request: self, lock: Lock::ToTake(lock), fenced: true }
    }

    /// Runs under a lock that is held already, for instance by `#[distributed_lock(…, guard = lock)]`.
    pub fn under(self, lock: &HeldLock) -> LockedRequest<'a, 'static, S, C> {
        LockedRequest { request: self, lock: Lock::Held(lock.clone()), fenced: true }
    }
}

impl<S, C> LockedRequest<'_, '_, S, C> {
    /// Leaves the fencing token to the work, which has a column of its own for it.
    ///
    /// The work then writes `lock.token()` beside what it changes and refuses to change what has a higher one
    /// (`UPDATE users SET balance = ?, fence = ? WHERE id = ? AND fence <= ?`). It saves a statement.
    pub fn own_fence(mut self) -> Self {
        self.fenced = false;
        self
    }
}

impl<S: FencingStore, C> LockedRequest<'_, '_, S, C> {
    /// Runs `work` under the lock, in a transaction that commits its effect, the key and the response together.
    ///
    /// In this order: lock, begin, claim, check the lock's token, work, complete, commit, unlock. A repeat that is
    /// answered from memory takes neither lock nor connection; who waits for the lock holds no connection.
    ///
    /// The token is checked in the table `idempotency_fences`: a holder whose lock ran out without its noticing cannot
    /// commit once a later one has begun to work, nor work beside one that has. When the lock is seen to be lost,
    /// `work` is stopped at its next await point. The lock has to come from the same backend for all who use this
    /// database, or their tokens say nothing about each other.
    ///
    /// # Errors
    ///
    /// As for [`Request::transaction`]; and [`IdempotencyError::Lock`] if the lock was not obtained or was lost,
    /// [`IdempotencyError::Overtaken`] if a later holder was faster. After these nothing took effect, and the same
    /// request may run again.
    ///
    /// # Cancel safety
    ///
    /// As for [`Request::transaction`]; the lock is given back.
    pub async fn transaction<T, E, F>(self, work: F) -> Result<Outcome<T>, E>
    where
        C: Codec<T>,
        E: Failure,
        F: AsyncFnOnce(&mut Transaction<'_, S::Database>, &HeldLock) -> Result<T, E>,
    {
        let Self { request, lock, fenced } = self;
        let store = request.store();
        let enter = async || Taken::by(lock).await.map_err(|error| IdempotencyError::from(error).into());
        let work = async |transaction: &mut Transaction<'_, S::Database>, taken: &Taken| {
            let lock = &taken.lock;
            let fenced_work = async {
                if fenced {
                    pass(store, transaction, lock).await?;
                }
                work(transaction, lock).await
            };
            let done = select! {
                biased;
                () = lock.lost() => None,
                result = taken.run(fenced_work) => Some(result),
            };
            match done {
                Some(result) if lock.is_held() => ControlFlow::Continue(result),
                _ => ControlFlow::Break(
                    IdempotencyError::from(LockError::Lost { key: lock.key().clone() }).into(),
                ),
            }
        };
        request.transact(enter, work).await
    }
}

/// Shows the token of each lock that is held.
async fn pass<S: FencingStore>(
    store: &S,
    transaction: &mut Transaction<'_, <S as TransactionalStore>::Database>,
    lock: &HeldLock,
) -> Result<(), IdempotencyError> {
    for key in lock.keys() {
        let token = lock.token_of(key.as_str()).unwrap_or_else(|| lock.token());
        let fence = Fence { lock: key.as_str(), token: token.as_i64() };
        match store.fence(transaction, fence).await? {
            Settled::Written => {}
            Settled::Fenced => return Err(IdempotencyError::Overtaken { key: key.clone() }),
        }
    }
    Ok(())
}

/// A lock as long as the request needs it.
struct Taken {
    lock: HeldLock,
    /// None for a lock that the caller holds.
    guard: Option<LockGuard>,
}

impl Taken {
    async fn by(lock: Lock<'_>) -> Result<Self, LockError> {
        Ok(match lock {
            Lock::Held(lock) => Self { lock, guard: None },
            Lock::ToTake(request) => {
                let guard = request.acquire().await?;
                Self { lock: guard.held(), guard: Some(guard) }
            }
        })
    }

    /// Runs `work` so that it is known to hold the lock: asking for it again is a mistake that is told at once.
    async fn run<F: Future>(&self, work: F) -> F::Output {
        match self.guard {
            Some(_) => self.lock.scope(work).await,
            None => work.await,
        }
    }
}
