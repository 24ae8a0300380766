use async_trait::async_trait;
use sqlx::{Database, Pool};

/// A table with one number, the effect that the cases count: `CREATE TABLE conformance (n BIGINT NOT NULL)` with
/// a row of 0.
#[async_trait]
pub trait Counter: Database {
    /// Makes the table.
    async fn create(pool: &Pool<Self>);

    /// Adds one.
    async fn add(connection: &mut Self::Connection) -> Result<(), sqlx::Error>;

    /// Ends the transaction behind the library's back, as some errors of a database do.
    async fn end(connection: &mut Self::Connection) -> Result<(), sqlx::Error>;

    /// Reads the number.
    async fn read(pool: &Pool<Self>) -> i64;

    /// Reads columns of the table of keys, as text.
    async fn columns(pool: &Pool<Self>) -> Vec<(String, String, String, String)>;
}

macro_rules! counter {
    ($database:ty) => {
        #[async_trait]
        impl Counter for $database {
            async fn create(pool: &Pool<Self>) {
                for statement in
                    ["CREATE TABLE conformance (n BIGINT NOT NULL)", "INSERT INTO conformance VALUES (0)"]
                {
                    sqlx::query(statement).execute(pool).await.unwrap();
                }
            }

            async fn add(connection: &mut Self::Connection) -> Result<(), sqlx::Error> {
                sqlx::query("UPDATE conformance SET n = n + 1").execute(connection).await.map(|_| ())
            }

            async fn end(connection: &mut Self::Connection) -> Result<(), sqlx::Error> {
                sqlx::raw_sql("ROLLBACK").execute(connection).await.map(|_| ())
            }

            async fn read(pool: &Pool<Self>) -> i64 {
                sqlx::query_scalar("SELECT n FROM conformance").fetch_one(pool).await.unwrap()
            }

            async fn columns(pool: &Pool<Self>) -> Vec<(String, String, String, String)> {
                sqlx::query_as("SELECT idempotency_key, tenant, operation, status FROM idempotency_keys")
                    .fetch_all(pool)
                    .await
                    .unwrap()
            }
        }
    };
}

#[cfg(feature = "mysql")]
counter!(sqlx::MySql);
#[cfg(feature = "postgres")]
counter!(sqlx::Postgres);
#[cfg(feature = "sqlite")]
counter!(sqlx::Sqlite);
