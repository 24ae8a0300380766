//! A shop in a SQLite file: what the tests charge.

#![allow(clippy::panic, clippy::unwrap_used)]
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::atomic::{AtomicU32, Ordering};

use idempotency::{Failure, FailureClass, Idempotency, IdempotencyError, Payload, Settings, SqliteStore};
use serde::{Deserialize, Serialize};
use sqlx::{
    Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tempfile::TempDir;

/// A database of its own for each test.
pub(crate) struct Shop {
    pub(crate) once: Idempotency<SqliteStore>,
    pub(crate) pool: SqlitePool,
    pub(crate) runs: AtomicU32,
    _folder: TempDir,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Charge {
    pub(crate) user: i64,
    pub(crate) amount: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Charged {
    pub(crate) balance: i64,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ChargeError {
    #[error("refused: {0}")]
    Refused(String),
    #[error("not started")]
    NotStarted,
    #[error("rolled back")]
    RolledBack,
    #[error("maybe applied")]
    MaybeApplied,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
}

impl Failure for ChargeError {
    fn class(&self) -> FailureClass {
        match self {
            Self::Refused(why) => FailureClass::refused(why),
            Self::NotStarted => FailureClass::NotStarted,
            Self::MaybeApplied => FailureClass::MaybeApplied,
            _ => FailureClass::RolledBack,
        }
    }

    fn from_refusal(refusal: &Payload) -> Option<Self> {
        refusal.read_json().ok().map(Self::Refused)
    }
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::with_settings(Settings::default()).await
    }

    pub(crate) async fn with_settings(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options =
            SqliteConnectOptions::new().filename(folder.path().join("shop.db")).create_if_missing(true);
        let pool = SqlitePoolOptions::new().max_connections(8).connect_with(options).await.unwrap();
        let once = Idempotency::with_settings(SqliteStore::new(pool.clone()), settings);
        once.migrate().await.unwrap();
        sqlx::raw_sql(
            "CREATE TABLE users (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
             INSERT INTO users VALUES (1, 0), (2, 0)",
        )
        .execute(&pool)
        .await
        .unwrap();
        Self { once, pool, runs: AtomicU32::new(0), _folder: folder }
    }

    /// A second process on the same database: it shares nothing in memory.
    pub(crate) fn other_process(&self) -> Idempotency<SqliteStore> {
        Idempotency::sqlite(self.pool.clone())
    }

    pub(crate) async fn effect(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        charge: &Charge,
    ) -> Result<Charged, sqlx::Error> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        sqlx::query("UPDATE users SET balance = balance + ? WHERE id = ?")
            .bind(charge.amount)
            .bind(charge.user)
            .execute(&mut **tx)
            .await?;
        let balance = sqlx::query_scalar("SELECT balance FROM users WHERE id = ?")
            .bind(charge.user)
            .fetch_one(&mut **tx)
            .await?;
        Ok(Charged { balance })
    }

    pub(crate) async fn charge(
        &self,
        key: &str,
        charge: Charge,
    ) -> Result<idempotency::Outcome<Charged>, ChargeError> {
        self.once
            .request("charge", key)?
            .tenant(charge.user)
            .fingerprint(&charge)
            .transaction(async |tx| Ok(self.effect(tx, &charge).await?))
            .await
    }

    pub(crate) async fn balance(&self, user: i64) -> i64 {
        sqlx::query_scalar("SELECT balance FROM users WHERE id = ?")
            .bind(user)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    pub(crate) fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }
}

pub(crate) const CHARGE: Charge = Charge { user: 1, amount: 5 };
