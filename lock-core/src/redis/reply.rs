use std::borrow::Cow;
use std::time::Duration;

use redis::{FromRedisValue, Value};
use tokio::time::Instant;

use crate::backend::{AcquireAllReply, AcquireReply, BackendError, Grant, ReleaseReply};
use crate::redis::error::unexpected_reply;
use crate::token::FencingToken;

/// The fields of an array.
pub(super) fn fields(value: &Value) -> Result<&[Value], BackendError> {
    match value {
        Value::Array(fields) => Ok(fields),
        _ => Err(unexpected_reply()),
    }
}

pub(super) fn read<T: FromRedisValue>(value: &Value) -> Result<T, BackendError> {
    T::from_redis_value_ref(value).map_err(|_| unexpected_reply())
}

fn verdict(fields: &[Value]) -> Result<(&[u8], &[Value]), BackendError> {
    match fields {
        [Value::BulkString(verdict), rest @ ..] => Ok((verdict, rest)),
        _ => Err(unexpected_reply()),
    }
}

/// Reads the reply of `acquire.lua`, and the server's time in it. The command was sent at `since`.
pub(super) fn acquire(fields: &[Value], since: Instant) -> Result<(AcquireReply, u64), BackendError> {
    match verdict(fields)? {
        (b"granted", [token, block, lease, wanted, now]) => {
            let lease = Duration::from_millis(read(lease)?);
            let grant = Grant::new(FencingToken::new(read(token)?), read(block)?, lease, since);
            Ok((AcquireReply::Granted(grant.wanted(read(wanted)?)), read(now)?))
        }
        (b"busy", [remaining, now]) => {
            Ok((AcquireReply::Busy { remaining: Duration::from_millis(read(remaining)?) }, read(now)?))
        }
        _ => Err(unexpected_reply()),
    }
}

/// Reads the reply of `acquire_all.lua`, and the server's time where it is in it.
pub(super) fn acquire_all(
    fields: &[Value],
    leases: &[Duration],
    since: Instant,
) -> Result<(AcquireAllReply, Option<u64>), BackendError> {
    match verdict(fields)? {
        (b"granted", [token, block, now]) => {
            let (token, block) = (FencingToken::new(read(token)?), read(block)?);
            let grants = leases.iter().map(|lease| Grant::new(token, block, *lease, since)).collect();
            Ok((AcquireAllReply::Granted(grants), Some(read(now)?)))
        }
        (b"busy", []) => Ok((AcquireAllReply::Busy, None)),
        _ => Err(unexpected_reply()),
    }
}

/// Reads the reply of `release.lua`, and the server's time where it is in it.
pub(super) fn release(fields: &[Value], since: Instant) -> Result<(ReleaseReply, Option<u64>), BackendError> {
    match verdict(fields)? {
        (b"released", []) => Ok((ReleaseReply::Released, None)),
        (b"lost", []) => Ok((ReleaseReply::Lost, None)),
        _ => acquire(fields, since).map(|(reply, now)| (ReleaseReply::Requeued(reply), Some(now))),
    }
}

/// Reads the reply of `renew.lua` for `count` keys.
pub(super) fn renew(value: &Value, count: usize) -> Result<Vec<bool>, BackendError> {
    let held: Vec<bool> = fields(value)?.iter().map(read).collect::<Result<_, _>>()?;
    if held.len() == count { Ok(held) } else { Err(unexpected_reply()) }
}

/// The reply of `batch.lua`, with what `batch_alone.lua` says in short written out: there, a negative number is the lease of
/// another owner.
pub(super) fn batch(value: &Value) -> Cow<'_, [Value]> {
    match value {
        Value::Int(1) => vec![Value::Int(0), Value::Int(1), Value::Int(0)].into(),
        Value::BulkString(text) => handed_over(text).unwrap_or_default().into(),
        _ => fields(value).unwrap_or_default().into(),
    }
}

fn handed_over(text: &[u8]) -> Option<Vec<Value>> {
    let (now, lease) = std::str::from_utf8(text).ok()?.split_once(' ')?;
    Some(vec![Value::Int(now.parse().ok()?), Value::Int(1), Value::Int(-lease.parse::<i64>().ok()?)])
}
