use std::time::Duration;

use redis::{PushInfo, Value};

use crate::backend::{BackendEvent, Grant};
use crate::key::LockKey;
use crate::redis::clock::ServerClock;
use crate::ticket::Ticket;
use crate::token::FencingToken;

/// The event that a message from a channel is about.
pub(super) fn event(push: &PushInfo, clock: &ServerClock) -> Option<BackendEvent> {
    match push.data.last() {
        Some(Value::BulkString(payload)) => read(payload, clock),
        _ => None,
    }
}

/// Reads a message as `common.lua` and `acquire.lua` publish it.
fn read(payload: &[u8], clock: &ServerClock) -> Option<BackendEvent> {
    let text = std::str::from_utf8(payload).ok()?;
    let mut fields = text.split('\n');
    let verb = fields.next()?;
    let key = LockKey::new(fields.next()?).ok()?;
    let ticket: Ticket = fields.next()?.parse().ok()?;
    match verb {
        "granted" => {
            let token = FencingToken::new(fields.next()?.parse().ok()?);
            let block = fields.next()?.parse().ok()?;
            let lease = Duration::from_millis(fields.next()?.parse().ok()?);
            let wanted = fields.next()? == "1";
            // The message may overtake the first reply, which would have told what time it is at the server.
            let Some(since) = clock.earliest(fields.next()?.parse().ok()?) else {
                return Some(BackendEvent::Unclear { key });
            };
            let grant = Grant::new(token, block, lease, since).wanted(wanted);
            Some(BackendEvent::Granted { key, ticket, grant })
        }
        "wanted" => Some(BackendEvent::Wanted { key, ticket }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    const GRANTED: &[u8] = b"granted\nk\n00000000000000000000000000000001:0\n5\n32\n2000\n0\n1000";

    #[tokio::test]
    async fn a_grant_that_cannot_be_placed_in_time_makes_its_node_ask_again() {
        let clock = ServerClock::default();
        assert!(matches!(read(GRANTED, &clock), Some(BackendEvent::Unclear { .. })));
        clock.observe(900, Instant::now());
        assert!(matches!(read(GRANTED, &clock), Some(BackendEvent::Granted { .. })));
        assert!(read(b"granted\nk", &clock).is_none());
    }
}
