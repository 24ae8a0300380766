//! Which functions `#[distributed_lock]` can stand on.

use std::cell::Cell;
use std::fmt::Display;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;

use lock_core::{LockError, LockManager, distributed_lock};

struct Wallet<T> {
    locks: LockManager,
    balance: u64,
    log: Vec<String>,
    currency: PhantomData<T>,
}

fn wallet() -> Wallet<u8> {
    Wallet { locks: LockManager::in_process(), balance: 10, log: Vec::new(), currency: PhantomData }
}

impl<T> Wallet<T> {
    /// Documentation, visibility and other attributes stay.
    #[distributed_lock(key = "balance:{self.balance}", manager = self.locks)]
    #[must_use = "a balance is read to be used"]
    pub(crate) async fn read(&self) -> Result<u64, LockError> {
        Ok(self.balance)
    }

    #[distributed_lock(key = "balance", manager = self.locks)]
    async fn add(&mut self, amount: u64) -> Result<&mut u64, LockError> {
        self.balance += amount;
        self.log.push(format!("+{amount}"));
        Ok(&mut self.balance)
    }

    #[distributed_lock(key = "balance", manager = self.locks)]
    async fn close(self) -> Result<(u64, Vec<String>), LockError> {
        Ok((self.balance, self.log))
    }

    #[distributed_lock(key = "balance", manager = self.locks)]
    async fn shared(self: std::sync::Arc<Self>) -> Result<u64, LockError> {
        Ok(self.balance)
    }

    #[distributed_lock(key = "log", manager = self.locks)]
    async fn first<'a>(&'a self, fallback: &'a str) -> Result<&'a str, LockError> {
        Ok(self.log.first().map_or(fallback, String::as_str))
    }
}

#[tokio::test]
async fn methods_take_self_in_any_way() {
    let mut wallet = wallet();
    assert_eq!(wallet.read().await.unwrap(), 10);
    *wallet.add(5).await.unwrap() += 1;
    assert_eq!(wallet.first("none").await.unwrap(), "+5");
    assert_eq!(wallet.close().await.unwrap(), (16, vec!["+5".to_owned()]));
    assert_eq!(std::sync::Arc::new(self::wallet()).shared().await.unwrap(), 10);
}

struct Point {
    x: u32,
    y: u32,
}

#[distributed_lock(key = "point:{x}:{height}:{a}:{b}:{total}:{rest.len()}", manager = locks)]
async fn patterns(
    locks: &LockManager,
    Point { x, y: height }: Point,
    (a, [b, _]): (u32, [u32; 2]),
    mut total: u32,
    _: &str,
    ref rest @ (ref text, _): (String, u8),
) -> Result<u32, LockError>
where
    (String, u8): Len,
{
    total += x + height + a + b + u32::from(text.starts_with("six")) * 3;
    assert_eq!(rest.1, 9);
    Ok(total)
}

trait Len {
    fn len(&self) -> usize;
}

impl Len for (String, u8) {
    fn len(&self) -> usize {
        2
    }
}

#[distributed_lock(key = "generic:{id}", manager = locks)]
async fn generic<'a, I, const N: usize>(
    locks: &LockManager,
    id: I,
    all: &'a [I; N],
) -> Result<Vec<&'a I>, LockError>
where
    I: Display + PartialEq,
{
    Ok(all.iter().filter(|other| **other != id).collect())
}

#[distributed_lock(key = "impl:{id}", manager = locks)]
async fn impl_trait(
    locks: &LockManager,
    id: impl Display + Clone,
) -> Result<impl Iterator<Item = impl Display>, LockError> {
    if id.to_string().is_empty() {
        return Ok(vec![id].into_iter());
    }
    Ok(vec![id.clone(), id].into_iter())
}

#[distributed_lock(key = "question", manager = locks)]
async fn question(
    locks: &LockManager,
    number: &str,
) -> Result<i64, Box<dyn std::error::Error + Send + Sync>> {
    #![allow(clippy::needless_return)]
    if number == "early" {
        return Ok(-1);
    }
    let number: i64 = number.parse()?;
    return Ok(number);
}

#[tokio::test]
async fn arguments_may_be_patterns_generic_or_borrowed() {
    let locks = LockManager::in_process();
    let sum = patterns(&locks, Point { x: 1, y: 2 }, (3, [4, 5]), 10, "", ("six".into(), 9)).await.unwrap();
    assert_eq!(sum, 23);
    assert_eq!(generic(&locks, 2, &[1, 2, 3]).await.unwrap(), [&1, &3]);
    assert_eq!(impl_trait(&locks, "x").await.unwrap().count(), 2);
    assert_eq!(impl_trait(&locks, "").await.unwrap().count(), 1);
    assert_eq!(question(&locks, "early").await.unwrap(), -1);
    assert_eq!(question(&locks, "12").await.unwrap(), 12);
    assert_eq!(question(&locks, "x").await.unwrap_err().to_string(), "invalid digit found in string");
}

#[distributed_lock(key = "local", manager = locks)]
async fn not_send(locks: &LockManager, count: Rc<Cell<u32>>) -> Result<u32, LockError> {
    count.set(count.get() + 1);
    tokio::task::yield_now().await;
    Ok(count.get())
}

#[tokio::test]
async fn a_body_that_is_not_send_runs_on_a_local_set() {
    let (locks, count) = (LockManager::in_process(), Rc::new(Cell::new(0)));
    let local = tokio::task::LocalSet::new();
    let task = local.run_until(async move {
        tokio::task::spawn_local(async move { not_send(&locks, count).await }).await
    });
    assert_eq!(task.await.unwrap().unwrap(), 1);
}

#[distributed_lock(key = "send:{text}", manager = locks, guard = lock)]
async fn send(locks: LockManager, text: String) -> Result<String, LockError> {
    tokio::task::yield_now().await;
    assert!(lock.is_held());
    Ok(text)
}

#[tokio::test]
async fn a_body_that_is_send_can_be_spawned() {
    assert_eq!(tokio::spawn(send(LockManager::in_process(), "x".into())).await.unwrap().unwrap(), "x");
}

trait Ledger {
    async fn book(&self, amount: u64) -> Result<u64, LockError>;

    fn later(&self, amount: u64) -> impl Future<Output = Result<u64, LockError>> + Send;

    fn locks(&self) -> &LockManager;

    #[distributed_lock(key = "default:{amount}", manager = self.locks())]
    async fn by_default(&self, amount: u64) -> Result<u64, LockError> {
        Ok(amount)
    }
}

impl<T: Sync> Ledger for Wallet<T> {
    #[distributed_lock(key = "ledger:{amount}", manager = self.locks)]
    async fn book(&self, amount: u64) -> Result<u64, LockError> {
        Ok(self.balance + amount)
    }

    #[allow(clippy::manual_async_fn)] // an older way to write it
    #[distributed_lock(key = "ledger:{amount}", manager = self.locks)]
    fn later(&self, amount: u64) -> impl Future<Output = Result<u64, LockError>> + Send {
        async move { Ok(self.balance + amount) }
    }

    fn locks(&self) -> &LockManager {
        &self.locks
    }
}

#[distributed_lock(key = "boxed:{depth}", manager = locks)]
fn boxed(
    locks: &LockManager,
    depth: u32,
) -> Pin<Box<dyn Future<Output = Result<u32, LockError>> + Send + '_>> {
    Box::pin(async move { if depth == 0 { Ok(0) } else { Ok(1 + boxed(locks, depth - 1).await?) } })
}

#[tokio::test]
async fn trait_methods_and_functions_that_return_a_future_are_guarded() {
    let wallet = wallet();
    assert_eq!(wallet.book(1).await.unwrap(), 11);
    assert_eq!(wallet.later(2).await.unwrap(), 12);
    assert_eq!(wallet.by_default(3).await.unwrap(), 3);
    assert_eq!(boxed(&wallet.locks, 3).await.unwrap(), 3);
}

#[tokio::test]
async fn a_closure_over_many_locals_keeps_them_in_order() {
    #[distributed_lock(key = "nested:{key}", manager = manager)]
    async fn nested(
        manager: &LockManager,
        key: u8,
        options: u8,
        result: u8,
        run: u8,
    ) -> Result<[u8; 4], LockError> {
        use std::convert::identity;
        fn twice(number: u8) -> u8 {
            number * 2
        }
        let found = [key, options, result, run].map(twice);
        Ok(identity(found))
    }
    assert_eq!(nested(&LockManager::in_process(), 1, 2, 3, 4).await.unwrap(), [2, 4, 6, 8]);
}
