use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::backend::{BackendError, BackendErrorKind};
use crate::error::ConnectError;

/// Codes of conditions that pass without a change to the command: too few replicas, no snapshot possible, out of memory,
/// a script that runs too long.
const PASSING: [&str; 4] = ["NOREPLICAS", "MISCONF", "OOM", "BUSY"];

/// Says in our words what a Redis error means for the caller.
///
/// The server's codes are those of <https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors>.
pub(super) fn command(error: RedisError) -> BackendError {
    let kind = if error.is_timeout() {
        BackendErrorKind::TimedOut
    } else if error.code().is_some_and(|code| PASSING.contains(&code)) {
        BackendErrorKind::Unavailable
    } else {
        match error.kind() {
            // Refused before, and so it will be again.
            ErrorKind::AuthenticationFailed => BackendErrorKind::Rejected,
            ErrorKind::Io
            | ErrorKind::ClusterConnectionNotFound
            | ErrorKind::MasterNameNotFoundBySentinel => BackendErrorKind::Unavailable,
            // The server starts, fails over, or is a replica now: it or another one will take the command soon.
            ErrorKind::Server(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::TryAgain
                | ServerErrorKind::Moved
                | ServerErrorKind::Ask,
            ) => BackendErrorKind::Unavailable,
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => BackendErrorKind::Protocol,
            _ if error.is_connection_dropped() || error.is_io_error() => BackendErrorKind::Unavailable,
            _ => BackendErrorKind::Rejected,
        }
    };
    let message = match kind {
        BackendErrorKind::TimedOut => "Redis did not answer in time",
        BackendErrorKind::Unavailable => "Redis cannot be reached",
        BackendErrorKind::Rejected => "Redis refused the command",
        BackendErrorKind::Protocol | BackendErrorKind::Unsupported => {
            "Redis sent a reply that cannot be understood"
        }
    };
    BackendError::new(kind, message).with_source(error)
}

/// A reply of another shape than the script's header says.
pub(super) fn unexpected_reply() -> BackendError {
    BackendError::new(BackendErrorKind::Protocol, "Redis sent a reply that cannot be understood")
}

/// What a pool met, in the terms of the Redis client.
#[cfg(feature = "deadpool")]
pub(super) fn pool(error: deadpool_redis::PoolError) -> RedisError {
    match error {
        deadpool_redis::PoolError::Backend(error) => error,
        other => RedisError::from(std::io::Error::other(other)),
    }
}

pub(super) fn address(error: &RedisError) -> ConnectError {
    // The category only: the detail may repeat the address, which may hold a password.
    ConnectError::InvalidAddress {
        reason: format!("expected redis://user:password@host:port/database ({})", error.category()),
    }
}
