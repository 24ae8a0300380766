//! Transactions under locks in Redis: a holder whose lock is gone without its noticing cannot commit.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::time::Duration;

use idempotency::{Failure, Idempotency, IdempotencyError, MySqlStore, Outcome, PostgresStore};
use interlock_tests::{MariaDbServer, PostgresServer, RedisServer, unique_name};
use lock_core::{LockGuard, LockManager};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, query_scalar, raw_sql};

#[derive(Debug, thiserror::Error)]
enum ChargeError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
}

impl Failure for ChargeError {}

/// Adds to the balance as a careless program does: by reading it and writing the sum.
macro_rules! charge {
    ($store:ty) => {
        async fn charge(
            once: &Idempotency<$store>,
            guard: &LockGuard,
            key: &str,
        ) -> Result<Outcome<i64>, ChargeError> {
            let request = once.request("charge", key)?.under(&guard.held());
            request
                .transaction(async |tx, _lock| {
                    let read: i64 = query_scalar("SELECT amount FROM balance").fetch_one(&mut **tx).await?;
                    let write = format!("UPDATE balance SET amount = {}", read + 5);
                    raw_sql(AssertSqlSafe(write)).execute(&mut **tx).await?;
                    Ok(read + 5)
                })
                .await
        }
    };
}

/// Two nodes on one Redis that forgets the first one's lock.
struct Redis {
    first: LockManager,
    second: LockManager,
    lock: String,
}

impl Redis {
    async fn open() -> Redis {
        let url = RedisServer::shared().await.url();
        let (first, second) =
            (LockManager::redis(url).await.unwrap(), LockManager::redis(url).await.unwrap());
        Redis { first, second, lock: unique_name("balance") }
    }

    /// A lock that is not renewed: until its lease is over nothing tells the holder that it is gone.
    async fn take(&self, locks: &LockManager) -> LockGuard {
        locks.lock(self.lock.as_str()).lease(Duration::from_secs(300)).renew(false).acquire().await.unwrap()
    }

    /// As a failover to a replica that lacks the last writes.
    async fn forget(&self) {
        let mut redis = RedisServer::shared().await.connection().await;
        let keys = RedisServer::shared().await.keys(&format!("*{}*", self.lock)).await;
        assert!(!keys.is_empty());
        let () = redis::cmd("DEL").arg(keys).query_async(&mut redis).await.unwrap();
    }
}

macro_rules! an_expired_holder_cannot_commit {
    ($once:expr, $pool:expr) => {
        let (once, pool, redis) = ($once, $pool, Redis::open().await);
        once.migrate().await.unwrap();
        once.check().await.unwrap();
        raw_sql("CREATE TABLE balance (amount BIGINT NOT NULL); INSERT INTO balance VALUES (0)")
            .execute(&pool)
            .await
            .unwrap();

        let late = redis.take(&redis.first).await;
        redis.forget().await;
        let faster = redis.take(&redis.second).await;
        assert!(!charge(&once, &faster, "faster").await.unwrap().replayed());

        assert!(late.is_held(), "it knows nothing");
        let error = charge(&once, &late, "late").await.unwrap_err();
        assert!(matches!(&error, ChargeError::Idempotency(IdempotencyError::Overtaken { key })
                if key.as_str() == redis.lock));
        let balance = async || query_scalar::<_, i64>("SELECT amount FROM balance").fetch_one(&pool).await;
        assert_eq!(balance().await.unwrap(), 5);

        assert!(!charge(&once, &faster, "late").await.unwrap().replayed());
        assert_eq!(balance().await.unwrap(), 10);
    };
}

mod mariadb {
    use super::*;
    charge!(MySqlStore);

    #[tokio::test]
    async fn an_expired_holder_cannot_commit() {
        let database = MariaDbServer::shared().await.database("locked").await;
        let pool = database.mysql_pool().await;
        an_expired_holder_cannot_commit!(Idempotency::mysql(pool.clone()), pool);
    }
}

mod postgres {
    use super::*;
    charge!(PostgresStore);

    #[tokio::test]
    async fn an_expired_holder_cannot_commit() {
        let database = PostgresServer::shared().await.database("locked").await;
        let pool = PgPoolOptions::new().max_connections(4).connect(database.url()).await.unwrap();
        an_expired_holder_cannot_commit!(Idempotency::postgres(pool.clone()), pool);
    }
}
