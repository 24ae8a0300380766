use sqlx::mysql::MySqlQueryResult;
use sqlx::sqlite::SqliteQueryResult;

/// The number that the database gave to a row.
pub(super) trait InsertedId {
    /// The number.
    fn inserted_id(&self) -> i64;
}

impl InsertedId for SqliteQueryResult {
    fn inserted_id(&self) -> i64 {
        self.last_insert_rowid()
    }
}

impl InsertedId for MySqlQueryResult {
    fn inserted_id(&self) -> i64 {
        self.last_insert_id().cast_signed()
    }
}
