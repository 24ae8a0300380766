//! A balance charge that may be sent twice, and may run twice at once: `cargo run -p quickstart`.
#![allow(clippy::print_stdout)]

use idempotency::{Failure, Idempotency, IdempotencyError, Outcome, SqliteStore};
use lock_core::{LockError, LockManager, distributed_lock};
use sqlx::sqlite::SqlitePoolOptions;

#[derive(Debug, thiserror::Error)]
enum WalletError {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Failure for WalletError {}

struct Wallet {
    locks: LockManager,
    once: Idempotency<SqliteStore>,
}

impl Wallet {
    /// Runs while this user's lock is held. The key, the new balance and the answer commit together, or not at all.
    #[distributed_lock(key = "balance:user:{user}", wait = "10s", lease = "30s", manager = self.locks)]
    async fn charge(&self, user: i64, amount: i64, key: &str) -> Result<Outcome<i64>, WalletError> {
        let request = self.once.request("charge", key)?.tenant(user).fingerprint(&amount);
        request
            .transaction(async |tx| {
                let charge = "UPDATE users SET balance = balance + ? WHERE id = ?";
                sqlx::query(charge).bind(amount).bind(user).execute(&mut **tx).await?;
                let balance = "SELECT balance FROM users WHERE id = ?";
                Ok(sqlx::query_scalar(balance).bind(user).fetch_one(&mut **tx).await?)
            })
            .await
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    let users =
        "CREATE TABLE users (id INTEGER PRIMARY KEY, balance INTEGER); INSERT INTO users VALUES (42, 1000)";
    sqlx::raw_sql(users).execute(&pool).await?;
    let once = Idempotency::sqlite(pool);
    once.migrate().await?;
    let wallet = Wallet { locks: LockManager::in_process(), once };

    // The client did not hear the first answer, and asks again.
    for attempt in 1..=2 {
        let charged = wallet.charge(42, 500, "order-7").await?;
        let replayed = charged.replayed();
        println!("attempt {attempt}: balance {}, replayed: {replayed}", charged.into_inner());
    }
    Ok(())
}
