//! Result codes of SQLite, <https://www.sqlite.org/rescode.html>.

use sqlx::error::DatabaseError;

use crate::store::error::Kind;

/// Another connection holds the write lock, and has for longer than the busy timeout.
const BUSY: u32 = 5;
/// A table is locked within a shared cache.
const LOCKED: u32 = 6;
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;

pub(crate) fn kind(error: &dyn DatabaseError) -> Kind {
    if error.is_unique_violation() {
        return Kind::Duplicate;
    }
    // An extended code holds the primary one in its lowest byte.
    match error.code().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff) {
        Some(BUSY | LOCKED) => Kind::Conflict,
        Some(READONLY | IOERR | FULL | CANTOPEN) => Kind::Unavailable,
        _ => Kind::Refused,
    }
}
