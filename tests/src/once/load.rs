// What it writes is read by who started the process.
#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use idempotency::{Idempotency, IdempotencyError, Settings, Sweep};
use sqlx::Pool;

use super::{Bank, Counts, Mode, RequestError, Work, request};

const TASKS: usize = 8;
/// How long a handful of keys is in use, by everybody at once.
const SLOT: u128 = 25;
/// Longer than a process of a busy machine stands still: late work of a leased key would be a second effect.
const LEASE: Duration = Duration::from_secs(8);

/// Makes requests without end, and writes down now and then what they came to.
pub async fn load<S: Bank>(url: &str, seed: u64) {
    let (store, pool) = S::open(url, 6);
    // In the one process as others have it, in the next without asking whether a connection is alive.
    let store = if seed.is_multiple_of(2) { store } else { store.untested() };
    let once = Idempotency::with_settings(store, Settings::default().wait(Duration::from_secs(20)));
    let (counts, random) = (Arc::new(Counts::default()), Arc::new(Random(AtomicU64::new(seed << 32))));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..TASKS {
        let (once, pool) = (once.clone(), pool.clone());
        let (counts, random) = (Arc::clone(&counts), Arc::clone(&random));
        tasks.spawn(async move {
            loop {
                step(&once, &pool, &counts, &random).await;
            }
        });
    }
    let sweep = Sweep::default().grace(Duration::ZERO);
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        counts.add("swept", once.sweep_once(&sweep).await.unwrap_or(0));
        println!("{counts}");
    }
}

async fn step<S: Bank>(once: &Idempotency<S>, pool: &Pool<S::Database>, counts: &Counts, random: &Random) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    if random.below(20) == 0 {
        // Something for the sweeper.
        let request = once.request("brief", format!("{now}-{}", random.below(u64::MAX)));
        let brief = request.map(|request| request.ttl(Duration::from_millis(1)));
        if let Ok(brief) = brief {
            let _ = brief.transaction(async |_| Ok::<_, RequestError>(())).await;
        }
    }
    let key = format!("{}-{}", now / SLOT, random.below(4));
    let work = match random.below(10) {
        0 | 1 => Work::Refused,
        2 => Work::RolledBack,
        _ => Work::Done,
    };
    let time = Duration::from_micros(random.below(3000));
    let name = match request(once, pool, &key, mode_of(&key), (work, time)).await {
        Ok(outcome) => {
            println!("answered {key} SUCCESS");
            if outcome.replayed() { "replayed" } else { "done" }
        }
        Err(RequestError::Refused) => {
            println!("answered {key} REFUSAL");
            "refused"
        }
        Err(RequestError::RolledBack) => "rolled_back",
        Err(error) if error.is_contended() => {
            println!("violation: {key}: a caller has met {error:?}");
            "contended"
        }
        Err(RequestError::Database(_)) => "disturbed",
        Err(RequestError::Idempotency(error)) => match error {
            IdempotencyError::InFlight { .. } => "in_flight",
            IdempotencyError::Unknown => "unknown",
            IdempotencyError::CommitUnknown(_) => "commit_unknown",
            IdempotencyError::NotRecorded(_) => "not_recorded",
            error if error.is_transient() => "disturbed",
            error => {
                println!("violation: {key}: a caller has met {error:?}");
                "unexpected"
            }
        },
    };
    counts.add(name, 1);
}

/// The last quarter of the keys is leased.
#[must_use]
pub fn mode_of(key: &str) -> Mode {
    if key.ends_with("-3") { Mode::Lease(LEASE) } else { Mode::Transaction }
}

/// Different numbers, the same for each seed (splitmix64).
struct Random(AtomicU64);

impl Random {
    fn below(&self, end: u64) -> u64 {
        let seed = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
