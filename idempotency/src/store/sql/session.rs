use std::{fmt, time::Duration};

use sqlx::{Database, Pool, pool::PoolConnection};
use tokio::sync::OwnedMutexGuard;

use crate::StoreError;

/// The one connection that a request uses.
///
/// It goes back to the pool only when its user says that it is in order. When a request is dropped half-way,
/// nobody knows which replies are still on the wire, or whether the server has begun a transaction: such a
/// connection is closed, and the server rolls back what it had open.
pub struct Session<DB: Database> {
    connection: Option<PoolConnection<DB>>,
    abandoned: Abandoned,
    /// Where to take another connection from, if nobody knows yet whether this one is alive.
    untested: Option<Pool<DB>>,
    _turn: Option<OwnedMutexGuard<()>>,
}

/// What becomes of a connection that was dropped half-way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "each database uses one of them")]
pub(crate) enum Abandoned {
    /// It is closed.
    Close,
    /// It goes back: its driver undoes an open transaction before anything else.
    Keep,
}

impl<DB: Database> Session<DB> {
    /// Takes a connection from `pool`. `turn` is kept as long as the session.
    pub(crate) async fn open(
        pool: &Pool<DB>,
        abandoned: Abandoned,
        turn: Option<OwnedMutexGuard<()>>,
        map_error: impl FnOnce(sqlx::Error) -> StoreError,
    ) -> Result<Self, StoreError> {
        let connection = pool.acquire().await.map_err(map_error)?;
        Ok(Self { connection: Some(connection), abandoned, untested: None, _turn: turn })
    }

    /// Takes an idle connection from `pool` as it is, or, where there is none, as [`open`](Self::open) does.
    #[cfg(any(feature = "mysql", feature = "postgres"))]
    pub(crate) async fn open_untested(
        pool: &Pool<DB>,
        map_error: impl FnOnce(sqlx::Error) -> StoreError,
    ) -> Result<Self, StoreError> {
        let Some(connection) = pool.try_acquire() else {
            return Self::open(pool, Abandoned::Close, None, map_error).await;
        };
        let untested = Some(pool.clone());
        Ok(Self { connection: Some(connection), abandoned: Abandoned::Close, untested, _turn: None })
    }

    /// How long to wait for a sign of life, beyond what the request itself takes; `None` if there was one.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.untested.as_ref().map(|pool| pool.options().get_acquire_timeout())
    }

    /// Takes a connection that is alive in place of one that nobody knew to be. `None` if this one was.
    pub(crate) async fn renew(&mut self) -> Option<Result<(), sqlx::Error>> {
        let pool = self.untested.take()?;
        if let Some(mut dead) = self.connection.take() {
            dead.close_on_drop();
        }
        Some(pool.acquire().await.map(|alive| self.connection = Some(alive)))
    }

    /// Returns the connection.
    #[expect(clippy::expect_used, reason = "only `finish` and `drop` take it, and they end the session")]
    pub(crate) fn connection(&mut self) -> &mut DB::Connection {
        self.connection.as_mut().expect("a session has its connection until it ends")
    }

    /// Gives the connection back: no reply is outstanding and no transaction is open.
    pub(crate) fn finish(mut self) {
        drop(self.connection.take());
    }
}

impl<DB: Database> Drop for Session<DB> {
    fn drop(&mut self) {
        if let (Some(connection), Abandoned::Close) = (&mut self.connection, self.abandoned) {
            connection.close_on_drop();
        }
    }
}

impl<DB: Database> fmt::Debug for Session<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
