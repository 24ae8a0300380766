//! Keys in a MySQL or MariaDB database.

mod codes;
mod connection;
mod fencing;
mod row;
mod statements;
mod store;
mod transaction;

pub use self::store::MySqlStore;
