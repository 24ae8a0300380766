//! The database: SQLite, or MySQL and MariaDB.

pub mod carts;
mod conn;
pub mod coupons;
mod database;
mod error;
mod inserted;
pub mod lab;
mod leased;
pub mod mock_gateway;
mod mysql;
mod once;
pub mod orders;
pub mod outbox;
pub mod payments;
mod pooled;
pub mod products;
pub mod sales;
mod sqlite;
mod transaction;
pub mod users;

pub use conn::Conn;
pub use database::{ConnectError, Database, PoolSettings};
pub use error::StoreError;
pub use leased::Leased;
pub use once::Once;
pub use pooled::Pooled;
