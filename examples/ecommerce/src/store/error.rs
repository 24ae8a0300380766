use super::{mysql, sqlite};

/// What the database could not do.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct StoreError {
    kind: Kind,
    source: Box<dyn std::error::Error + Send + Sync>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Kind {
    #[error("the database is away, or cannot write for now")]
    Unavailable,
    #[error("the transaction met another one and was given up")]
    Conflict,
    #[error("a row of that name exists already")]
    Duplicate,
    #[error("the database refused a statement")]
    Refused,
}

impl StoreError {
    /// Whether the database was away, out of connections, or unable to write: asked again later, it may answer.
    pub fn is_unavailable(&self) -> bool {
        self.kind == Kind::Unavailable
    }

    /// Whether another transaction was in the way: done again in a fresh transaction, it may succeed.
    pub fn is_conflict(&self) -> bool {
        self.kind == Kind::Conflict
    }

    /// Whether a unique index already holds the row.
    pub fn is_duplicate(&self) -> bool {
        self.kind == Kind::Duplicate
    }

    pub(crate) fn sqlite(error: sqlx::Error) -> Self {
        Self::new(error, sqlite::codes::kind)
    }

    pub(crate) fn mysql(error: sqlx::Error) -> Self {
        Self::new(error, mysql::codes::kind)
    }

    fn new(error: sqlx::Error, kind_of: fn(&dyn sqlx::error::DatabaseError) -> Kind) -> Self {
        let kind = match &error {
            sqlx::Error::Database(reported) => kind_of(&**reported),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Kind::Unavailable,
            _ => Kind::Refused,
        };
        Self { kind, source: Box::new(error) }
    }
}
