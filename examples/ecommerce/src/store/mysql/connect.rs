use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::{Connection, MySqlConnection, MySqlPool};

use crate::store::PoolSettings;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/mysql");

/// A connection that lay idle for longer is asked whether it is alive before it is used. A busy one is not: that
/// would be one round trip more for every request.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

pub(crate) async fn connect(
    options: MySqlConnectOptions,
    settings: PoolSettings,
) -> Result<MySqlPool, sqlx::Error> {
    let pool = MySqlPoolOptions::new()
        .max_connections(settings.size)
        .acquire_timeout(settings.wait)
        .test_before_acquire(false)
        .after_connect(|connection, _| {
            Box::pin(async move {
                // The default level locks the gaps between rows too, and requests on different rows then wait for
                // each other in circles.
                sqlx::query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .before_acquire(|connection, usage| {
            Box::pin(async move {
                if usage.idle_for > TRUSTED_FOR {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options.clone())
        .await;
    match pool {
        // The pool has tried again and again, and keeps to itself what it met.
        Err(sqlx::Error::PoolTimedOut) => Err(why(&options, settings.wait).await),
        opened => opened,
    }
}

/// What a connection meets.
async fn why(options: &MySqlConnectOptions, wait: Duration) -> sqlx::Error {
    match tokio::time::timeout(wait, MySqlConnection::connect_with(options)).await {
        Ok(Err(error)) => error,
        Ok(Ok(_)) | Err(_) => sqlx::Error::PoolTimedOut,
    }
}

/// Runs the migrations, one process at a time.
///
/// The lock is our own: the one of sqlx asks for an endless wait in a way that MariaDB takes for no wait at all.
pub(crate) async fn migrate(pool: &MySqlPool) -> Result<(), MigrateError> {
    let mut connection = pool.acquire().await?;
    let locked: Option<i64> =
        sqlx::query_scalar(include_str!("migration_lock.sql")).fetch_one(&mut *connection).await?;
    if locked != Some(1) {
        return Err(MigrateError::Execute(sqlx::Error::PoolTimedOut));
    }
    let migrated = migrate_alone(&mut connection).await;
    // The lock goes with its connection.
    connection.close().await?;
    migrated
}

async fn migrate_alone(connection: &mut MySqlConnection) -> Result<(), MigrateError> {
    match MIGRATIONS.run(&mut *connection).await {
        // A process ended in the middle of a migration, which MySQL cannot undo. Ours may be run again.
        Err(MigrateError::Dirty(_)) => {
            sqlx::query("DELETE FROM _sqlx_migrations WHERE success = FALSE")
                .execute(&mut *connection)
                .await?;
            MIGRATIONS.run(&mut *connection).await
        }
        outcome => outcome,
    }
}
