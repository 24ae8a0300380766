use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use redis::{FromRedisValue, Value};

use crate::backend::{BackendError, HeldKey};
use crate::key::LockKey;
use crate::redis::connection::Connection;
use crate::redis::error;
use crate::redis::names::Names;
use crate::redis::script;
use crate::ticket::Ticket;

/// How many keys the server looks at in one step.
const STEP: usize = 256;

/// Goes through all keys of each server, in small steps, until `limit` locks are found.
pub(super) async fn list(
    servers: Vec<Connection>,
    names: Names,
    beginning: String,
    limit: usize,
) -> Result<Vec<HeldKey>, BackendError> {
    let pattern = format!("{}*", literally(&names.owner(&beginning)));
    // A scan may show a key twice.
    let mut found = BTreeMap::new();
    for server in servers {
        let mut cursor = 0_u64;
        while found.len() < limit {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(STEP);
            let reply = server.send(scan.arg("TYPE").arg("string")).await.map_err(error::command)?;
            let (next, keys): (u64, Vec<Vec<u8>>) =
                FromRedisValue::from_redis_value(reply).map_err(|_| error::unexpected_reply())?;
            let keys = keys.iter().filter_map(|name| names.key(std::str::from_utf8(name).ok()?));
            for held in join_all(keys.map(|key| show(&server, &names, key))).await {
                if let Some(held) = held? {
                    found.insert(held.key.clone(), held);
                }
            }
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
    }
    Ok(found.into_values().collect())
}

async fn show(server: &Connection, names: &Names, key: LockKey) -> Result<Option<HeldKey>, BackendError> {
    let reply = server.call(&script::inspect(names, &key)).await.map_err(error::command)?;
    read(&reply, key)
}

/// Reads the reply of `inspect.lua`. What is not a ticket is a key of somebody else's.
pub(super) fn read(reply: &Value, key: LockKey) -> Result<Option<HeldKey>, BackendError> {
    let Value::Array(fields) = reply else {
        return Err(error::unexpected_reply());
    };
    let [owner, remaining, queued, last_token, now] = fields.as_slice() else {
        return Ok(None);
    };
    let number = |value: &Value| i64::from_redis_value_ref(value).map_err(|_| error::unexpected_reply());
    let Some(owner) = String::from_redis_value_ref(owner).ok().and_then(|owner| owner.parse::<Ticket>().ok())
    else {
        return Ok(None);
    };
    let (last_token, now) = (number(last_token)?, number(now)?);
    // Tokens follow the server's clock.
    let since_grant =
        (last_token > 0).then(|| Duration::from_micros((now - last_token).max(0).unsigned_abs()));
    let remaining = Duration::from_millis(number(remaining)?.max(0).unsigned_abs());
    let held = HeldKey::new(key, owner, remaining).since_grant(since_grant);
    Ok(Some(held.queued(number(queued)?.unsigned_abs())))
}

/// A pattern that matches this text and nothing else.
fn literally(text: &str) -> String {
    text.chars().fold(String::new(), |mut pattern, character| {
        if matches!(character, '*' | '?' | '[' | ']' | '^' | '-' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
        pattern
    })
}
