//! The expansion of `#[idempotent]` raises no lint, however strict the crate it stands in.

#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    future_incompatible,
    let_underscore_drop,
    nonstandard_style,
    rust_2018_idioms,
    rust_2024_compatibility,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unsafe_code,
    unused,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences,
    clippy::all,
    clippy::nursery,
    clippy::pedantic
)]

use async_trait::async_trait;
use idempotency::{BoxError, Idempotency, MemoryStore, Takeover, idempotent};

/// A desk.
#[derive(Debug)]
pub struct Desk {
    once: Idempotency<MemoryStore>,
}

impl Desk {
    /// Every argument.
    ///
    /// # Errors
    ///
    /// When the request is at work.
    #[idempotent(
        key = "{user_id}:{order_id:05}",
        scope = "payment",
        store = self.once,
        tenant = user_id,
        fingerprint = (order_id, amount),
        version = 1,
        ttl = "168h",
        wait = "1s",
        lease = "30s",
        takeover = Takeover::Rerun
    )]
    pub async fn pay(&mut self, user_id: u64, order_id: u64, amount: u64) -> Result<u64, BoxError> {
        use std::convert::identity;
        const FEE: u64 = 1;
        if amount == 0 {
            return Ok(FEE);
        }
        Ok(identity(order_id))
    }

    /// All arguments are the request.
    ///
    /// # Errors
    ///
    /// When the request is at work.
    #[idempotent(key = key, scope = "mail", store = self.once)]
    pub async fn mail(&self, key: &str, (to, _): (String, u8), text: Box<str>) -> Result<usize, BoxError> {
        drop(to);
        Ok(text.len())
    }
}

/// A gateway.
#[async_trait]
pub trait Gateway {
    /// Captures.
    async fn capture(&self, key: &str, amount: u64) -> Result<u64, BoxError>;
}

#[async_trait]
impl Gateway for Desk {
    #[idempotent(key = key, scope = "capture", store = self.once)]
    async fn capture(&self, key: &str, amount: u64) -> Result<u64, BoxError> {
        Ok(amount)
    }
}

#[tokio::test]
async fn it_compiles_without_a_warning() -> Result<(), BoxError> {
    let mut desk = Desk { once: Idempotency::in_memory() };
    assert_eq!(desk.pay(1, 2, 3).await?, 2);
    assert_eq!(desk.mail("key", ("you".into(), 0), "hello".into()).await?, 5);
    assert_eq!(desk.capture("key", 7).await?, 7);
    Ok(())
}
