//! The attribute macros `#[distributed_lock]` of the crate `lock-core` and `#[idempotent]` of the crate `idempotency`.
//!
//! Use them as `lock_core::distributed_lock` and `idempotency::idempotent`, with the feature `macros` of those crates; this
//! crate has no other use. Everything there is to know stands at [`macro@distributed_lock`] and [`macro@idempotent`].

mod args;
mod attribute;
mod body;
mod errors;
mod expand;
mod function;
mod idempotent;
mod key;
mod lock;
mod pipeline;
mod scope;
mod template;
mod time;
mod transaction;
mod validate;

use proc_macro::TokenStream;

/// Runs the body of an async function only while a lock is held.
///
/// ```
/// use lock_core::{LockError, LockManager, distributed_lock};
///
/// struct Wallet {
///     locks: LockManager,
/// }
///
/// impl Wallet {
///     #[distributed_lock(key = "balance:user:{user_id}", wait = "10s", lease = "30s", manager = self.locks)]
///     async fn charge(&self, user_id: u64, amount: u64) -> Result<u64, LockError> {
///         // Of all processes that share the lock backend, one at a time is here for this user.
///         Ok(amount)
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let wallet = Wallet { locks: LockManager::in_process() };
/// assert_eq!(wallet.charge(42, 5).await.unwrap(), 5);
/// # }
/// ```
///
/// A call goes like this:
///
/// 1. The key is made from the arguments. It is a value of its own, so the body may move what it was made of.
/// 2. The call queues for the lock, `wait` long at most. Without the lock the body does not run, and the function
///    returns a `LockError`, or `None`.
/// 3. The body runs, and the lease is renewed meanwhile. Should the lock be lost nevertheless, the body is dropped at its
///    next await point and the function returns `LockError::Lost`.
/// 4. When the body ends, by its last line, `return`, `?` or a panic, or when the call is dropped, the lock is given
///    back.
///
/// # Arguments
///
/// | argument | value | when left out |
/// |---|---|---|
/// | [`key`](#key) | a text with placeholders, or an expression | this or `keys` must be there |
/// | [`keys`](#keys) | a list of such keys, or an expression | this or `key` must be there |
/// | [`wait`](#wait) | how long to queue | as the manager says: 10 s |
/// | [`lease`](#lease) | how long ownership lasts unless renewed | as the manager says: 30 s |
/// | [`renew`](#renew) | `true` or `false` | as the manager says: `true` |
/// | [`retain`](#retain) | how long this process keeps the idle key | as the manager says: not at all |
/// | [`reentrant`](#reentrant) | `true` or `false` | `false` |
/// | [`manager`](#manager) | an expression | the manager installed for the process |
/// | [`guard`](#guard) | a name to bind in the body | nothing is bound |
/// | [`crate`](#crate) | a path | `::lock_core` |
///
/// Lengths of time are texts of whole numbers with the units `h`, `m`, `s` and `ms`, the longest unit first: `"10s"`,
/// `"250ms"`, `"1m30s"`. They are read, and held against their limits, when the program is compiled.
///
/// ## `key`
///
/// What is locked. As in `format!`, braces hold what is filled in, here any expression over the arguments of the
/// function, `self`, its generic constants, and constants and statics; a format may follow (`{id:05}`), and `{{` is a
/// brace.
///
/// ```
/// # use lock_core::{LockError, LockManager, distributed_lock};
/// struct Order {
///     id: u64,
///     buyer: Buyer,
/// }
///
/// struct Buyer {
///     country: String,
/// }
///
/// #[distributed_lock(key = "order:{order.buyer.country.to_lowercase()}:{order.id:08}", manager = locks, guard = lock)]
/// async fn ship(locks: &LockManager, order: Order) -> Result<Order, LockError> {
///     assert_eq!(lock.key().as_str(), "order:no:00000007");
///     Ok(order)
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # ship(&LockManager::in_process(), Order { id: 7, buyer: Buyer { country: "NO".into() } }).await.unwrap();
/// # }
/// ```
///
/// Instead of a text there may be any expression that can be displayed:
///
/// ```
/// # use lock_core::{LockError, LockManager, distributed_lock};
/// #[distributed_lock(key = account_key(&iban), manager = locks)]
/// async fn close(locks: &LockManager, iban: String) -> Result<(), LockError> {
///     # assert_eq!(iban, "NO93 8601");
///     Ok(())
/// }
///
/// fn account_key(iban: &str) -> String {
///     format!("account:{}", iban.replace(' ', ""))
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # close(&LockManager::in_process(), "NO93 8601".into()).await.unwrap();
/// # }
/// ```
///
/// A key has 1 to 512 bytes and no control characters; one that turns out otherwise is `LockError::InvalidKey`.
///
/// ## `keys`
///
/// Several keys: all of them are taken, or none. Everyone takes them in the same order, so two calls never wait for each
/// other. A list holds what `key` may hold:
///
/// ```
/// # use lock_core::{LockError, LockManager, distributed_lock};
/// #[distributed_lock(keys = ["balance:user:{from}", "balance:user:{to}"], manager = locks)]
/// async fn transfer(locks: &LockManager, from: u64, to: u64) -> Result<(), LockError> {
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let locks = LockManager::in_process();
/// let (there, back) = tokio::join!(transfer(&locks, 1, 2), transfer(&locks, 2, 1));
/// there.and(back).unwrap();
/// # }
/// ```
///
/// Otherwise it is an expression that iterates over texts or `LockKey`s; none at all is `LockError::InvalidKey`:
///
/// ```
/// # use lock_core::{LockError, LockManager, distributed_lock};
/// struct Order {
///     product_ids: Vec<u64>,
/// }
///
/// #[distributed_lock(keys = order.product_ids.iter().map(|id| format!("stock:product:{id}")), manager = locks)]
/// async fn reserve(locks: &LockManager, order: &Order) -> Result<usize, LockError> {
///     Ok(order.product_ids.len())
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # assert_eq!(reserve(&LockManager::in_process(), &Order { product_ids: vec![2, 1] }).await.unwrap(), 2);
/// # }
/// ```
///
/// ## `wait`
///
/// How long the call queues for the lock, 24 h at most; then it is `LockError::Timeout`. `"0s"` asks once and does not
/// queue, which suits a job that should run on one node and be skipped on the others:
///
/// ```
/// # use lock_core::{LockManager, distributed_lock};
/// #[distributed_lock(key = "job:settlement", wait = "0s", manager = locks)]
/// async fn settle(locks: &LockManager) -> Option<&'static str> {
///     Some("settled")
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let locks = LockManager::in_process();
/// let elsewhere = locks.lock("job:settlement").acquire().await.unwrap();
/// assert_eq!(settle(&locks).await, None);
/// drop(elsewhere);
/// assert_eq!(settle(&locks).await, Some("settled"));
/// # }
/// ```
///
/// ## `lease`
///
/// How long ownership lasts unless it is renewed, 10 ms to 24 h: the time after which others go on when this process
/// dies. It does not limit the work, since the lease is renewed while the body runs.
///
/// ```
/// # use lock_core::{LockError, LockManager, distributed_lock};
/// #[distributed_lock(key = "report:{day}", lease = "5s", manager = locks)]
/// async fn report(locks: &LockManager, day: &str) -> Result<(), LockError> {
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # report(&LockManager::in_process(), "monday").await.unwrap();
/// # }
/// ```
///
/// ## `renew`
///
/// With `renew = false` the lease is the longest time that the body may take; after it the lock is lost.
///
/// ```
/// # use lock_core::{LockError, LockManager, distributed_lock};
/// #[distributed_lock(key = "import", lease = "20ms", renew = false, manager = locks)]
/// async fn import(locks: &LockManager) -> Result<(), LockError> {
///     std::future::pending().await
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let error = import(&LockManager::in_process()).await.unwrap_err();
/// assert!(matches!(error, LockError::Lost { .. }));
/// # }
/// ```
///
/// ## `retain`
///
/// How long this process keeps the key after its last call, 24 h at most, so that its next call needs no round trip. The
/// key is let go at once when another process wants it. `"0s"` keeps nothing, whatever the manager says.
///
/// ```
/// # use lock_core::{LockError, LockManager, distributed_lock};
/// #[distributed_lock(key = "counter:{name}", retain = "1s", manager = locks)]
/// async fn count(locks: &LockManager, name: &str) -> Result<(), LockError> {
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # count(&LockManager::in_process(), "visits").await.unwrap();
/// # }
/// ```
///
/// ## `reentrant`
///
/// A body that asks, by whatever way, for a key that it runs under would wait for itself; it gets
/// `LockError::Reentrant` at once. With `reentrant = true` the inner call joins the lock that the outer one holds.
///
/// ```
/// # use lock_core::{LockError, LockManager, distributed_lock};
/// struct Ledger {
///     locks: LockManager,
/// }
///
/// impl Ledger {
///     #[distributed_lock(key = "ledger", manager = self.locks)]
///     async fn close(&self) -> Result<u32, LockError> {
///         self.sum().await
///     }
///
///     #[distributed_lock(key = "ledger", reentrant = true, manager = self.locks)]
///     async fn sum(&self) -> Result<u32, LockError> {
///         Ok(3)
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # assert_eq!(Ledger { locks: LockManager::in_process() }.close().await.unwrap(), 3);
/// # }
/// ```
///
/// ## `manager`
///
/// Who hands out the lock: an expression over the arguments that is a `LockManager`, or borrows or shares one (`&`,
/// `Arc`). It is not moved. Where it is left out, the manager serves that the process installed:
///
/// ```
/// # use lock_core::{LockError, LockManager, distributed_lock};
/// #[distributed_lock(key = "user:{user_id}")]
/// async fn rename(user_id: u64) -> Result<(), LockError> {
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// assert!(matches!(rename(1).await, Err(LockError::NotInstalled)));
/// LockManager::in_process().install().unwrap();
/// rename(1).await.unwrap();
/// # }
/// ```
///
/// ## `guard`
///
/// Binds the held lock, a `HeldLock`, in the body, for its fencing token and to ask how long it is still held:
///
/// ```
/// # use lock_core::{LockError, LockManager, distributed_lock};
/// #[distributed_lock(key = "stock:product:{product_id}", manager = locks, guard = lock)]
/// async fn take(locks: &LockManager, product_id: u64) -> Result<i64, LockError> {
///     // UPDATE products SET stock = stock - 1, fence = ? WHERE id = ? AND fence <= ?
///     Ok(lock.token().as_i64())
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let locks = LockManager::in_process();
/// assert!(take(&locks, 1).await.unwrap() < take(&locks, 1).await.unwrap());
/// # }
/// ```
///
/// ## `crate`
///
/// Where `lock-core` is found, for crates that pass it on under another name:
///
/// ```
/// mod vendor {
///     pub use lock_core as locks;
/// }
/// use vendor::locks::{LockError, LockManager, distributed_lock};
///
/// #[distributed_lock(key = "user:{user_id}", manager = locks, crate = crate::vendor::locks)]
/// async fn rename(locks: &LockManager, user_id: u64) -> Result<(), LockError> {
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # rename(&LockManager::in_process(), 1).await.unwrap();
/// # }
/// ```
///
/// # What a function returns
///
/// `Result<T, E>`, where `E` can be made from a `LockError`, or `Option<T>`, which is `None` when the lock was not
/// obtained; any reason but a busy lock is then logged as a warning. A function that returns anything else could not say
/// that its body did not run, and is refused.
///
/// ```
/// # use lock_core::{LockError, LockManager, distributed_lock};
/// #[derive(Debug)]
/// enum WalletError {
///     Lock(LockError),
///     Broke,
/// }
///
/// impl From<LockError> for WalletError {
///     fn from(error: LockError) -> Self {
///         Self::Lock(error)
///     }
/// }
///
/// #[distributed_lock(key = "balance", manager = locks)]
/// async fn spend(locks: &LockManager, balance: u64, amount: u64) -> Result<u64, WalletError> {
///     balance.checked_sub(amount).ok_or(WalletError::Broke)
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # assert_eq!(spend(&LockManager::in_process(), 3, 1).await.unwrap(), 2);
/// # }
/// ```
///
/// # Where it goes
///
/// On async functions and methods, in traits and their implementations too, with any receiver, generics, lifetimes,
/// `impl Trait` and patterns. The signature stays as it is, and the future is `Send` where the body is.
///
/// - With `#[async_trait]` on the trait and its implementations, it goes on the methods.
/// - With attributes that wrap the body, such as `#[tracing::instrument]`: above them, and they see the time in the queue
///   too; below them, and they see only what runs under the lock.
/// - *Above* attributes that make the function an ordinary one, such as `#[tokio::main]` and `#[tokio::test]`.
/// - On an ordinary function that returns a future, if its body is nothing but `async move { … }` or
///   `Box::pin(async move { … })`.
///
/// ```
/// # use lock_core::{LockError, LockManager, distributed_lock};
/// #[async_trait::async_trait]
/// trait Ledger {
///     async fn book(&self, amount: u64) -> Result<u64, LockError>;
/// }
///
/// struct Memory {
///     locks: LockManager,
/// }
///
/// #[async_trait::async_trait]
/// impl Ledger for Memory {
///     #[distributed_lock(key = "ledger", manager = self.locks)]
///     async fn book(&self, amount: u64) -> Result<u64, LockError> {
///         Ok(amount)
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # assert_eq!(Memory { locks: LockManager::in_process() }.book(1).await.unwrap(), 1);
/// # }
/// ```
///
/// # Transactions
///
/// A database transaction that comes in as an argument would be committed after the lock is released, and the next
/// holder would read what is not committed yet. Take the pool instead, and begin and commit inside the function. Such an
/// argument is refused by the name of its type: `DatabaseTransaction`, `PgTransaction` and their like, and `Transaction`
/// where it carries generic arguments, comes by `&mut`, or is named with its database crate.
///
/// ```compile_fail
/// # use lock_core::{LockError, LockManager, distributed_lock};
/// # struct MySql;
/// # struct Transaction<'c, DB>(&'c DB);
/// #[distributed_lock(key = "balance:user:{user_id}", manager = locks)]
/// async fn charge(
///     locks: &LockManager,
///     tx: &mut Transaction<'_, MySql>, // refused
///     user_id: u64,
/// ) -> Result<(), LockError> {
///     Ok(())
/// }
/// ```
///
/// # Cancel safety
///
/// As safe as the body: a dropped call leaves the queue, or drops the body where it is and gives the lock back.
#[proc_macro_attribute]
pub fn distributed_lock(args: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::distributed_lock(args.into(), &item.into()).into()
}

/// Runs the body of an async function once per idempotency key, and answers repeats with what it returned.
///
/// For effects that no database can undo: a payment, a mail. Where the effect is in the database that keeps the keys, use
/// `Request::transaction`, which commits both together.
///
/// ```
/// use idempotency::{Failure, Idempotency, IdempotencyError, MemoryStore, idempotent};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct Receipt {
///     number: u64,
/// }
///
/// #[derive(Debug)]
/// struct PayError(IdempotencyError);
///
/// impl From<IdempotencyError> for PayError {
///     fn from(error: IdempotencyError) -> Self {
///         Self(error)
///     }
/// }
///
/// impl Failure for PayError {}
///
/// struct Desk {
///     once: Idempotency<MemoryStore>,
/// }
///
/// impl Desk {
///     #[idempotent(key = key, scope = "payment", store = self.once, ttl = "24h")]
///     async fn pay(&self, key: &str, order_id: u64) -> Result<Receipt, PayError> {
///         // Whatever the client repeats, this runs once.
///         Ok(Receipt { number: order_id })
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let desk = Desk { once: Idempotency::in_memory() };
/// let first = desk.pay("key-1", 7).await.unwrap();
/// assert_eq!(desk.pay("key-1", 7).await.unwrap(), first);
/// // The same key for another order is a mistake of the client's.
/// let error = desk.pay("key-1", 8).await.unwrap_err();
/// assert!(matches!(error.0, IdempotencyError::Mismatch));
/// # }
/// ```
///
/// A call goes like this:
///
/// 1. The key, the scope and the fingerprint are made from the arguments. They are values of their own, so the body may
///    move what they were made of.
/// 2. The key is claimed for the length of the lease. A repeat is answered with what is stored, or waits for the call that
///    is at work; the body does not run.
/// 3. The body runs, and the lease is extended meanwhile.
/// 4. What it returns is stored: a response, or what the error's `Failure::class` says. When the process dies before, the
///    outcome is unknown, and `takeover` says what becomes of the key.
///
/// # Arguments
///
/// | argument | value | when left out |
/// |---|---|---|
/// | `key` | a text with placeholders (`"{order_id}"`), or an expression that is a text or an `IdempotencyKey` | it must be there |
/// | `scope` | a text, or an expression that is one: the operation, as the table has it | it must be there |
/// | `store` | an expression that is an `Idempotency`, or borrows or shares one | it must be there |
/// | `tenant` | an expression that can be displayed: whose key it is | nobody's |
/// | `fingerprint` | an expression that can be serialised: what the request is | [all arguments](#what-tells-requests-apart) |
/// | `version` | a number: which way the fingerprint is made | 0 |
/// | `ttl` | how long the response is answered again | as the settings say: 24 h |
/// | `wait` | how long to wait for a call that is at work | as the settings say: 5 s |
/// | `lease` | how soon others notice a crash, 100 ms to 24 h | 30 s |
/// | `takeover` | an expression that is a `Takeover` | `Takeover::Quarantine` |
/// | `crate` | a path | `::idempotency` |
///
/// Lengths of time and placeholders are written as for [`macro@distributed_lock`]. The scope has no default: were it the
/// function's name, renaming the function would run everything again.
///
/// # What tells requests apart
///
/// The same key with another request is a client's mistake, and answered with `IdempotencyError::Mismatch` rather than
/// with the response to something else. The request is all arguments by their names, as JSON, without the receiver and
/// without the argument that `store` names. So a function that gains an argument, or renames one, takes repeats that
/// were under way for other requests: count `version` up then.
///
/// Where an argument cannot be serialised, or does not matter (a client, a trace id), `fingerprint` says what does:
///
/// ```
/// # use idempotency::{BoxError, Idempotency, MemoryStore, Takeover, idempotent};
/// # struct Gateway;
/// # struct Order { id: u64, amount: u64 }
/// #[idempotent(
///     key = "order:{order.id}",
///     scope = "payment",
///     store = once,
///     fingerprint = (order.id, order.amount),
///     lease = "10s",
///     takeover = Takeover::Rerun // the gateway takes an idempotency key of its own
/// )]
/// async fn pay(once: &Idempotency<MemoryStore>, gateway: &Gateway, order: Order) -> Result<u64, BoxError> {
///     Ok(order.amount)
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # assert_eq!(pay(&Idempotency::in_memory(), &Gateway, Order { id: 1, amount: 5 }).await.unwrap(), 5);
/// # }
/// ```
///
/// # Failures
///
/// What the function does is undone by no database. So after a failure whose [class](../idempotency/enum.FailureClass.html)
/// nobody has stated the outcome counts as unknown, and a repeat is answered so and does not run: a payment that timed out
/// is not made twice. `Failure::class` says which failures are a refusal, to be replayed, and which came before the effect.
///
/// # Together with a lock
///
/// `#[idempotent]` goes *below* [`macro@distributed_lock`]: the attribute that stands nearer to the function is the outer
/// one. So the key is claimed first, and repeats are answered without the lock. The error class of a lock that was not
/// obtained is `NotStarted`, that of a lost one `MaybeApplied`.
///
/// ```
/// # use idempotency::{Failure, FailureClass, Idempotency, IdempotencyError, MemoryStore, idempotent};
/// # use lock_core::{LockError, LockManager, distributed_lock};
/// # #[derive(Debug)] enum PayError { Lock(LockError), Key(IdempotencyError) }
/// # impl From<LockError> for PayError { fn from(error: LockError) -> Self { Self::Lock(error) } }
/// # impl From<IdempotencyError> for PayError { fn from(error: IdempotencyError) -> Self { Self::Key(error) } }
/// impl Failure for PayError {
///     fn class(&self) -> FailureClass {
///         match self {
///             Self::Lock(LockError::Lost { .. }) => FailureClass::MaybeApplied,
///             Self::Lock(_) => FailureClass::NotStarted,
///             Self::Key(_) => FailureClass::RolledBack,
///         }
///     }
/// }
///
/// #[distributed_lock(key = "order:{order_id}", manager = locks)]
/// #[idempotent(key = key, scope = "payment", store = once, fingerprint = order_id)]
/// async fn pay(
///     once: &Idempotency<MemoryStore>,
///     locks: &LockManager,
///     key: &str,
///     order_id: u64,
/// ) -> Result<u64, PayError> {
///     Ok(order_id)
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let (once, locks) = (Idempotency::in_memory(), LockManager::in_process());
/// # assert_eq!(pay(&once, &locks, "key", 1).await.unwrap(), 1);
/// # let _busy = locks.lock("order:1").acquire().await.unwrap();
/// # assert_eq!(pay(&once, &locks, "key", 1).await.unwrap(), 1);
/// # }
/// ```
///
/// # Where it goes
///
/// Where [`macro@distributed_lock`] goes: on async functions and methods, with any receiver, generics, lifetimes and
/// patterns, under `#[async_trait]`, and above attributes that make the function an ordinary one.
///
/// # Cancel safety
///
/// A dropped call leaves the key at work until its lease is over; then `takeover` says what becomes of it.
#[proc_macro_attribute]
pub fn idempotent(args: TokenStream, item: TokenStream) -> TokenStream {
    idempotent::idempotent(args.into(), &item.into()).into()
}
