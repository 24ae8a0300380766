//! `#[idempotent]` on functions and methods of all kinds.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use idempotency::{
    BoxError, Failure, FailureClass, Idempotency, IdempotencyError, IdempotencyKey, MemoryStore, Payload,
    Takeover, idempotent,
};
use lock_core::{LockError, LockManager, distributed_lock};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Debug, PartialEq, Eq)]
enum PayError {
    Declined(String),
    TimedOut,
    Down,
    Busy,
    Mismatch,
    Unknown,
    Other(String),
}

impl From<IdempotencyError> for PayError {
    fn from(error: IdempotencyError) -> Self {
        match error {
            IdempotencyError::Mismatch => Self::Mismatch,
            IdempotencyError::Unknown => Self::Unknown,
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<LockError> for PayError {
    fn from(_: LockError) -> Self {
        Self::Busy
    }
}

impl Failure for PayError {
    fn class(&self) -> FailureClass {
        match self {
            Self::Declined(why) => FailureClass::refused(why),
            Self::TimedOut => FailureClass::MaybeApplied,
            Self::Busy => FailureClass::NotStarted,
            Self::Other(_) => FailureClass::Unstated,
            _ => FailureClass::RolledBack,
        }
    }

    fn from_refusal(refusal: &Payload) -> Option<Self> {
        refusal.read_json().ok().map(Self::Declined)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Order {
    id: u32,
    lines: Vec<String>,
}

struct Desk {
    once: Idempotency<MemoryStore>,
    locks: LockManager,
    runs: AtomicU32,
}

impl Desk {
    fn open() -> Self {
        Self { once: Idempotency::in_memory(), locks: LockManager::in_process(), runs: AtomicU32::new(0) }
    }

    fn run(&self) -> u32 {
        self.runs.fetch_add(1, Ordering::SeqCst) + 1
    }

    #[idempotent(key = key, scope = "pay", store = self.once, ttl = "24h")]
    async fn pay(&self, key: &str, order: Order) -> Result<(u32, Vec<String>), PayError> {
        // Moved, though the fingerprint was made of it.
        let Order { lines, .. } = order;
        Ok((self.run(), lines))
    }

    #[idempotent(key = "{key}", scope = SCOPE, store = self.once, fingerprint = ())]
    async fn fail(&self, key: &str, how: Option<PayError>) -> Result<u32, PayError> {
        let run = self.run();
        match how {
            Some(error) => Err(error)?,
            None => return Ok(run),
        }
    }

    #[idempotent(key = &key, scope = "tenants", tenant = user, store = &self.once, fingerprint = 0)]
    async fn of_tenant(&self, key: IdempotencyKey, user: u32) -> Result<u32, BoxError> {
        assert!(!key.as_str().is_empty());
        Ok(self.run() * 100 + user)
    }

    #[idempotent(key = key, scope = "generic", store = self.once, wait = "1s", lease = "1m")]
    async fn generic<'a, T, const N: usize>(
        &self,
        key: String,
        [value]: [T; 1],
        _n: &'a [u8; N],
    ) -> Result<T, BoxError>
    where
        T: Serialize + DeserializeOwned + Send + 'a,
        [u8; N]: Serialize,
    {
        self.run();
        Ok(value)
    }

    #[idempotent(key = key, scope = "versions", store = self.once, version = 1)]
    async fn version_1(&self, key: &str, amount: u32) -> Result<u32, PayError> {
        Ok(self.run() + amount)
    }

    #[idempotent(key = key, scope = "versions", store = self.once, version = 2)]
    async fn version_2(&self, key: &str, amount: u32, currency: &str) -> Result<u32, PayError> {
        assert!(!currency.is_empty());
        Ok(self.run() + amount)
    }

    #[idempotent(key = key, scope = "crash", store = self.once, lease = "100ms", wait = "0s")]
    async fn quarantined(&self, key: &str) -> Result<u32, PayError> {
        let run = self.run();
        if self.runs.load(Ordering::SeqCst) == 1 {
            std::future::pending::<()>().await;
        }
        Ok(run)
    }

    #[idempotent(
        key = key, scope = "crash", store = self.once, lease = "100ms", wait = "5s", takeover = Takeover::Rerun
    )]
    async fn rerun(&self, key: &str) -> Result<u32, PayError> {
        if self.run() == 1 {
            std::future::pending::<()>().await;
        }
        Ok(self.run())
    }

    #[distributed_lock(key = "order:{order_id}", wait = "0s", manager = self.locks)]
    #[idempotent(key = key, scope = "locked", store = self.once, fingerprint = order_id)]
    async fn locked(&self, key: &str, order_id: u32) -> Result<u32, PayError> {
        Ok(self.run())
    }
}

const SCOPE: &str = "fail";

#[async_trait]
trait Gateway {
    async fn capture(&self, key: &str, amount: (u32, u32)) -> Result<u32, BoxError>;
}

#[async_trait]
impl Gateway for Desk {
    #[idempotent(key = key, scope = "capture", store = self.once)]
    async fn capture(&self, key: &str, (amount, fee): (u32, u32)) -> Result<u32, BoxError> {
        self.run();
        Ok(amount + fee)
    }
}

fn order(id: u32) -> Order {
    Order { id, lines: vec!["line".into()] }
}

#[tokio::test]
async fn a_repeat_is_answered_and_another_request_is_not() {
    let desk = Desk::open();
    let first = desk.pay("key", order(1)).await.unwrap();
    assert_eq!(first, (1, vec!["line".to_owned()]));
    assert_eq!(desk.pay("key", order(1)).await.unwrap(), first);
    assert_eq!(desk.pay("key", order(2)).await, Err(PayError::Mismatch));
    assert_eq!(desk.pay("other", order(2)).await.unwrap().0, 2);
    assert!(matches!(desk.pay("a key", order(1)).await, Err(PayError::Other(_))));
}

#[tokio::test]
async fn failures_are_told_apart() {
    let desk = Desk::open();
    for _ in 0..2 {
        let declined = PayError::Declined("no".into());
        assert_eq!(desk.fail("declined", Some(declined)).await, Err(PayError::Declined("no".into())));
    }
    assert_eq!(desk.runs.load(Ordering::SeqCst), 1, "a refusal is replayed");
    assert_eq!(desk.fail("down", Some(PayError::Down)).await, Err(PayError::Down));
    assert_eq!(desk.fail("down", None).await, Ok(3), "what was rolled back runs again");
    assert_eq!(desk.fail("late", Some(PayError::TimedOut)).await, Err(PayError::TimedOut));
    assert_eq!(desk.fail("late", None).await, Err(PayError::Unknown), "what may have been applied does not");
    let cut = PayError::Other("cut off".into());
    assert_eq!(desk.fail("cut", Some(cut)).await, Err(PayError::Other("cut off".into())));
    assert_eq!(desk.fail("cut", None).await, Err(PayError::Unknown), "nor what nobody has classed");
}

#[tokio::test]
async fn tenants_have_their_own_keys() {
    let desk = Desk::open();
    let key = IdempotencyKey::new("key").unwrap();
    for _ in 0..2 {
        assert_eq!(desk.of_tenant(key.clone(), 1).await.unwrap(), 101);
        assert_eq!(desk.of_tenant(key.clone(), 2).await.unwrap(), 202);
    }
}

#[tokio::test]
async fn generics_patterns_and_async_trait() {
    let desk = Desk::open();
    for _ in 0..2 {
        let value = tokio::time::timeout(
            Duration::from_secs(60),
            desk.generic("key".into(), ["text".to_owned()], &[1]),
        );
        assert_eq!(value.await.unwrap().unwrap(), "text");
        assert_eq!(desk.capture("key", (2, 3)).await.unwrap(), 5);
    }
    assert_eq!(desk.runs.load(Ordering::SeqCst), 2);
    assert!(desk.capture("key", (3, 2)).await.is_err(), "what a pattern binds is part of the request");
}

#[tokio::test]
async fn a_new_version_takes_no_repeat_for_another_request() {
    let desk = Desk::open();
    let first = desk.version_1("key", 5).await.unwrap();
    assert_eq!(desk.version_2("key", 5, "EUR").await.unwrap(), first);
    assert_eq!(desk.version_1("key", 6).await, Err(PayError::Mismatch));
}

#[tokio::test]
async fn a_crash_is_quarantined_or_run_again() {
    let desk = Desk::open();
    let hung = tokio::time::timeout(Duration::from_millis(20), desk.quarantined("q")).await;
    assert!(hung.is_err());
    loop {
        match desk.quarantined("q").await {
            Err(PayError::Other(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
            other => {
                assert_eq!(other, Err(PayError::Unknown));
                break;
            }
        }
    }
    let desk = Desk::open();
    assert!(tokio::time::timeout(Duration::from_millis(20), desk.rerun("r")).await.is_err());
    assert_eq!(desk.rerun("r").await, Ok(3));
}

#[tokio::test]
async fn the_key_comes_before_the_lock() {
    let desk = Desk::open();
    let busy = desk.locks.lock("order:1").acquire().await.unwrap();
    assert_eq!(desk.locked("key", 1).await, Err(PayError::Busy));
    drop(busy);
    assert_eq!(desk.locked("key", 1).await, Ok(1), "a key whose lock was busy is unused");
    let _busy = desk.locks.lock("order:1").acquire().await.unwrap();
    assert_eq!(desk.locked("key", 1).await, Ok(1), "a repeat needs no lock");
}

/// The future of a call is `Send` where its body is.
#[tokio::test]
async fn a_call_may_be_spawned() {
    let desk = std::sync::Arc::new(Desk::open());
    let there = std::sync::Arc::clone(&desk);
    let spawned = tokio::spawn(async move { there.pay("key", order(1)).await });
    assert_eq!(spawned.await.unwrap().unwrap().0, 1);
}
