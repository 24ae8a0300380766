//! Keys in a PostgreSQL database.

mod codes;
mod connection;
mod fencing;
mod row;
mod statements;
mod store;
mod transaction;

pub use self::store::PostgresStore;
