use std::error::Error;
use std::time::Duration;

use lock_core::{HeldKey, LockKey, Ticket};
use serde_json::{Value, json};

/// All keys, as a table with one line each.
pub(crate) fn list(held: &[HeldKey], as_json: bool) -> String {
    if as_json {
        return Value::from(held.iter().map(object).collect::<Vec<_>>()).to_string();
    }
    let width = held.iter().map(|held| held.key.as_str().chars().count()).max();
    let width = width.unwrap_or(0).max("KEY".len());
    let head =
        format!("{:width$}  {:>10}  {:>10}  {:>6}  OWNER", "KEY", "LEASE LEFT", "LAST GRANT", "QUEUED");
    let lines = held.iter().map(|held| {
        let (left, since) = (short(held.remaining), held.since_grant.map_or("?".to_owned(), short));
        let (key, queued, owner) = (held.key.as_str(), held.queued, held.owner);
        format!("{key:width$}  {left:>10}  {since:>10}  {queued:>6}  {owner}")
    });
    std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n")
}

/// One key, with one fact a line.
pub(crate) fn one(held: &HeldKey, as_json: bool) -> String {
    if as_json {
        return object(held).to_string();
    }
    let since = held.since_grant.map_or("?".to_owned(), |since| format!("{} ago", short(since)));
    format!(
        "key         {}\nowner       {}\nlease left  {}\nlast grant  {since}\nqueued      {}",
        held.key,
        held.owner,
        short(held.remaining),
        held.queued
    )
}

pub(crate) fn released(key: &LockKey, ticket: Ticket, as_json: bool) -> String {
    if as_json {
        return json!({ "key": key.as_str(), "released": ticket.to_string() }).to_string();
    }
    format!("{key} was taken from {ticket}")
}

/// An error and its causes, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let mut said: Vec<String> = causes.map(ToString::to_string).collect();
    said.dedup();
    said.join(": ")
}

fn object(held: &HeldKey) -> Value {
    json!({
        "key": held.key.as_str(),
        "owner": held.owner.to_string(),
        "lease_left_ms": millis(held.remaining),
        "since_grant_ms": held.since_grant.map(millis),
        "queued": held.queued,
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The two largest units at most: people read it.
fn short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3600 => format!("{} m {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let shown = [5, 1_500, 61_000, 3_660_000].map(|millis| short(Duration::from_millis(millis)));
        assert_eq!(shown, ["5 ms", "1.5 s", "1 m 1 s", "1 h 1 m"]);
    }
}
