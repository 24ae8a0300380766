use std::sync::Arc;

use interlock_tests::{Database, MariaDbServer, RedisServer, Scratch, unique_name};
use sqlx::{AssertSqlSafe, MySqlPool, SqlitePool};

use super::Turns;

/// What shops stand on: a database of their own, and where their locks are.
/// It lasts for as long as a shop stands on it.
#[derive(Debug, Clone)]
pub(crate) struct Backing {
    pub(crate) database_url: String,
    pub(crate) redis_url: Option<String>,
    /// What keeps tests apart that share a Redis.
    pub(crate) redis_prefix: String,
    _directory: Option<Arc<Scratch>>,
    _database: Option<Arc<Database>>,
}

impl Backing {
    /// A SQLite file, and locks in each process.
    pub(crate) fn embedded() -> Self {
        let directory = Scratch::new("shop");
        let database_url = format!("sqlite:{}", directory.path().join("ecommerce.db").display());
        Self {
            database_url,
            redis_url: None,
            redis_prefix: String::new(),
            _directory: Some(Arc::new(directory)),
            _database: None,
        }
    }

    /// MariaDB, and locks in Redis: servers that the tests share.
    pub(crate) async fn servers() -> Self {
        let redis_prefix = format!("{}:", unique_name("shop"));
        Self { redis_prefix, ..Self::on(MariaDbServer::shared().await, RedisServer::shared().await).await }
    }

    /// A new database on this server, and locks in this Redis.
    pub(crate) async fn on(mariadb: &MariaDbServer, redis: &RedisServer) -> Self {
        let database = mariadb.database("shop").await;
        Self {
            database_url: database.url().to_owned(),
            redis_url: Some(redis.url().to_owned()),
            redis_prefix: String::new(),
            _directory: None,
            _database: Some(Arc::new(database)),
        }
    }

    /// The same, with something before the database that counts round trips.
    pub(crate) async fn counted(mariadb: &MariaDbServer, redis: &RedisServer) -> (Self, Turns) {
        let turns = Turns::to(&mariadb.address()).await;
        let mut backing = Self::on(mariadb, redis).await;
        backing.database_url = backing.database_url.replace(&mariadb.address(), turns.address());
        (backing, turns)
    }

    /// One of each kind.
    pub(crate) async fn both() -> [Self; 2] {
        [Self::embedded(), Self::servers().await]
    }

    /// Runs a statement, straight on the database.
    pub(crate) async fn run(&self, sql: &str) {
        let query = AssertSqlSafe(sql.to_owned());
        if self.database_url.starts_with("sqlite:") {
            let pool = SqlitePool::connect(&self.database_url).await.unwrap();
            sqlx::query(query).execute(&pool).await.unwrap();
            pool.close().await;
        } else {
            let pool = MySqlPool::connect(&self.database_url).await.unwrap();
            sqlx::query(query).execute(&pool).await.unwrap();
            pool.close().await;
        }
    }

    /// The first column of the first row of a query, straight from the database.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let query = AssertSqlSafe(sql.to_owned());
        if self.database_url.starts_with("sqlite:") {
            let pool = SqlitePool::connect(&self.database_url).await.unwrap();
            let number = sqlx::query_scalar(query).fetch_one(&pool).await.unwrap();
            pool.close().await;
            number
        } else {
            let pool = MySqlPool::connect(&self.database_url).await.unwrap();
            let number = sqlx::query_scalar(query).fetch_one(&pool).await.unwrap();
            pool.close().await;
            number
        }
    }
}
