use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use lock_core::LockManager;
use tokio_util::sync::CancellationToken;

use super::{Round, rounds};
use crate::error::ShopError;
use crate::events::{EventSink, PublishError};
use crate::model::Timestamp;
use crate::store::Database;
use crate::store::outbox::{self, Failure, PendingRow};

/// One instance relays at a time: so events of one order are published in their order.
const LOCK: &str = "job:outbox-relay";
/// How long the relay rests when there is nothing to publish.
const PAUSE: Duration = Duration::from_millis(500);
/// The most events in one go.
const BATCH: i64 = 500;
/// How often an event is tried that its sink refuses. Then it is dead, and somebody has to look at it.
const TRIES: i64 = 5;
/// The pause before the second try; it doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Publishes what is in the outbox: each event at least once, those of one order in their order.
#[derive(Debug, Clone)]
pub struct Relay {
    database: Database,
    locks: LockManager,
    sink: Arc<dyn EventSink>,
}

impl Relay {
    /// A relay from the shop's outbox to a sink.
    pub fn new(database: Database, locks: LockManager, sink: Arc<dyn EventSink>) -> Self {
        Self { database, locks, sink }
    }

    /// Publishes, again and again, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        rounds("relay", PAUSE, stop, || self.round()).await;
    }

    async fn round(&self) -> Round {
        let round = Round::alone(&self.locks, LOCK, async || self.publish_pending().await).await;
        if matches!(round, Round::Elsewhere) {
            // It tells how late events are; what was seen here before is no longer true.
            report_lag(&[]);
        }
        round
    }

    async fn publish_pending(&self) -> Result<(), ShopError> {
        loop {
            let rows = {
                let mut reader = self.database.reader().await?;
                outbox::pending(&mut reader.conn(), BATCH).await?
            };
            report_lag(&rows);
            let more = i64::try_from(rows.len()) == Ok(BATCH);
            if self.publish(rows).await? == 0 || !more {
                return Ok(());
            }
        }
    }

    /// Publishes these events; answers how many it could.
    async fn publish(&self, rows: Vec<PendingRow>) -> Result<usize, ShopError> {
        let now = Timestamp::now();
        let mut published = 0;
        // Orders with an event that waits for its next try: what comes after it waits too.
        let mut held_up = HashSet::new();
        for row in rows {
            let order = row.event.order_id;
            if held_up.contains(&order) || row.next_try_at > now {
                held_up.insert(order);
                continue;
            }
            match self.sink.publish(&row.event).await {
                Ok(()) => {
                    let mut writer = self.database.writer().await?;
                    outbox::mark_published(&mut writer.conn(), row.id, Timestamp::now()).await?;
                    metrics::counter!("shop_events_total", "outcome" => "published").increment(1);
                    published += 1;
                }
                Err(error @ PublishError::Unavailable(_)) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "events wait for their sink");
                    return Ok(published);
                }
                Err(error) => {
                    if self.note_failure(&row, &error).await? {
                        held_up.insert(order);
                    }
                }
            }
        }
        Ok(published)
    }

    /// Notes a refusal; answers whether the event will be tried again.
    async fn note_failure(&self, row: &PendingRow, error: &PublishError) -> Result<bool, ShopError> {
        let attempts = row.attempts + 1;
        let alive = attempts < TRIES;
        let pause = FIRST_PAUSE * 2_u32.saturating_pow(u32::try_from(row.attempts).unwrap_or(u32::MAX));
        let failure = Failure {
            attempts,
            next_try_at: alive.then(|| Timestamp::now().after(pause)),
            error: std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string),
        };
        let mut writer = self.database.writer().await?;
        outbox::mark_failed(&mut writer.conn(), row, &failure).await?;
        let outcome = if alive { "retried" } else { "dead" };
        metrics::counter!("shop_events_total", "outcome" => outcome).increment(1);
        let error: &dyn std::error::Error = error;
        tracing::warn!(error, event = row.event.event_id, attempts, outcome, "an event was refused");
        Ok(alive)
    }
}

/// How many events wait, and for how long the first of them has.
fn report_lag(rows: &[PendingRow]) {
    let oldest = rows.first().map_or(Duration::ZERO, |row| Timestamp::now().since(row.created_at));
    metrics::gauge!("shop_outbox_pending").set(rows.len() as f64);
    metrics::gauge!("shop_outbox_lag_seconds").set(oldest.as_secs_f64());
}
