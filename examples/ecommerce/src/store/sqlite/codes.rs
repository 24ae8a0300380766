//! Result codes of SQLite, <https://www.sqlite.org/rescode.html>.

use sqlx::error::DatabaseError;

use crate::store::error::Kind;

/// Another connection holds the write lock, and has for longer than the busy timeout.
const BUSY: u32 = 5;
/// The transaction began before another connection wrote: it is to begin again.
const BUSY_SNAPSHOT: u32 = 517;
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
    of_code(error.code().and_then(|code| code.parse().ok()))
}

fn of_code(code: Option<u32>) -> Kind {
    if code == Some(BUSY_SNAPSHOT) {
        return Kind::Conflict;
    }
    // An extended code holds the primary one in its lowest byte.
    match code.map(|code| code & 0xff) {
        Some(LOCKED) => Kind::Conflict,
        Some(BUSY | READONLY | IOERR | FULL | CANTOPEN) => Kind::Unavailable,
        _ => Kind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_says_whether_to_come_again() {
        let codes = [
            (Kind::Conflict, &[517, 6, 262][..]),
            // With some of their extended forms.
            (Kind::Unavailable, &[5, 261, 773, 8, 1032, 10, 266, 778, 13, 14, 270]),
            // An error in the statement, a constraint, a corrupt file, a file that is no database.
            (Kind::Refused, &[1, 19, 11, 26]),
        ];
        for (expected, codes) in codes {
            for &code in codes {
                assert_eq!(of_code(Some(code)), expected, "{code}");
            }
        }
        assert_eq!(of_code(None), Kind::Refused);
    }
}
