use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

use crate::store::PoolSettings;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How often the migrations are tried: SQLite has no lock around them, so of two processes that start together
/// on a new file one is refused, and finds the work done when it looks again.
const MIGRATION_TRIES: u32 = 5;

/// The pools of one file: SQLite lets one connection write at a time, so writers queue for the only one there is,
/// first come, first served, rather than wait for each other inside SQLite.
pub(crate) async fn connect(
    options: SqliteConnectOptions,
    settings: PoolSettings,
) -> Result<(SqlitePool, SqlitePool), sqlx::Error> {
    // A writer of another process is waited for as long as one of this.
    let options =
        options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal).busy_timeout(settings.wait);
    let pool = || SqlitePoolOptions::new().acquire_timeout(settings.wait).test_before_acquire(false);
    let writer = pool().max_connections(1).connect_with(options.clone()).await?;
    let readers = pool().max_connections(settings.size).connect_with(options).await?;
    Ok((readers, writer))
}

pub(crate) async fn migrate(pool: &SqlitePool) -> Result<(), MigrateError> {
    let mut tries = 1;
    while let Err(error) = MIGRATIONS.run(pool).await {
        if tries == MIGRATION_TRIES {
            return Err(error);
        }
        tries += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
