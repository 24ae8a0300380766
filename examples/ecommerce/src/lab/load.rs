use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use idempotency::{IdempotencyError, IdempotencyKey};
use indicatif::ProgressBar;
use tokio::task::JoinSet;

use super::bench::{Bench, Request, What};
use super::stage::{CROWDED, Stage};
use crate::error::ShopError;

/// How often an impatient client sends one request, at once.
const AT_ONCE: usize = 3;

/// What clients saw of a load.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// How long each request took, the shortest first.
    latencies: Vec<Duration>,
    pub(super) failed: usize,
    took: Duration,
}

impl Seen {
    /// Requests a second, those that failed too.
    pub(super) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64().max(f64::EPSILON)
    }

    /// The latency that `percent` of the requests did not exceed.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get(last * percent / 100).copied().unwrap_or_default()
    }
}

/// About `count` requests: a half are charges of a few users; the other half are clients that want one charge, one
/// order and one coupon each, and send the first two three times at once. For every defence in the same order.
pub(super) fn requests(stage: &Stage, count: usize) -> Result<Vec<Request>, ShopError> {
    let (crowded, clients) = stage.users.split_at(CROWDED.min(stage.users.len()));
    let key = |what: &str, n: usize| {
        IdempotencyKey::new(format!("{}-{what}-{n}", stage.name())).map_err(IdempotencyError::from)
    };
    let mut groups = Vec::new();
    for (n, &user) in crowded.iter().cycle().take(count / 2).enumerate() {
        groups.push((Request { what: What::Charge, user, key: key("crowd", n)? }, 1));
    }
    for (n, &user) in clients.iter().enumerate() {
        groups.push((Request { what: What::Charge, user, key: key("charge", n)? }, AT_ONCE));
        groups.push((Request { what: What::Order, user, key: key("order", n)? }, AT_ONCE));
        groups.push((Request { what: What::Coupon, user, key: key("coupon", n)? }, 1));
    }
    fastrand::Rng::with_seed(1).shuffle(&mut groups);
    Ok(groups.into_iter().flat_map(|(request, times)| std::iter::repeat_n(request, times)).collect())
}

/// How many clients a load of `count` requests has.
pub(super) fn clients(count: usize) -> usize {
    (count / 2 / (2 * AT_ONCE + 1)).max(2)
}

/// Sends the requests from `tasks` tasks, and stops early when `limit` is over.
pub(super) async fn run(
    bench: &Arc<Bench>,
    requests: Vec<Request>,
    tasks: usize,
    limit: Duration,
    bar: &ProgressBar,
) -> Seen {
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..tasks {
        let (bench, requests, next, bar) = (bench.clone(), requests.clone(), next.clone(), bar.clone());
        running.spawn(async move {
            let (mut latencies, mut failed) = (Vec::new(), 0);
            while begun.elapsed() < limit
                && let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed))
            {
                let sent = Instant::now();
                if let Err(error) = bench.serve(request).await {
                    tracing::debug!(error = &error as &dyn std::error::Error, "a request failed");
                    failed += 1;
                }
                latencies.push(sent.elapsed());
                bar.inc(1);
            }
            (latencies, failed)
        });
    }
    let mut seen = Seen::default();
    while let Some(ended) = running.join_next().await {
        // A task that panicked has counted nothing: its request failed.
        let (latencies, failed) = ended.unwrap_or((Vec::new(), 1));
        seen.latencies.extend(latencies);
        seen.failed += failed;
    }
    seen.took = begun.elapsed();
    seen.latencies.sort_unstable();
    seen
}
