//! Responses in memory.

#![allow(clippy::panic, clippy::unwrap_used)]

mod support;

use std::time::Duration;

use idempotency::{Idempotency, IdempotencyError, Settings};
use support::{CHARGE, Charge, ChargeError, Charged, Shop};

async fn forget_in_the_table(shop: &Shop) {
    sqlx::query("DELETE FROM idempotency_keys").execute(&shop.pool).await.unwrap();
}

#[tokio::test]
async fn a_repeat_asks_nobody() {
    let shop = Shop::with_settings(Settings::default().cache(1 << 20)).await;
    let first = shop.charge("key-1", CHARGE).await.unwrap();
    forget_in_the_table(&shop).await;
    let again = shop.charge("key-1", CHARGE).await.unwrap();
    assert!(again.replayed());
    assert_eq!(first.payload(), again.payload());
    let other = shop.charge("key-1", Charge { amount: 6, ..CHARGE }).await;
    assert!(matches!(other, Err(ChargeError::Idempotency(IdempotencyError::Mismatch))));
}

#[tokio::test]
async fn what_another_process_did_is_kept_after_it_was_asked_for() {
    let shop = Shop::open().await;
    shop.charge("key-1", CHARGE).await.unwrap().into_inner();
    let other = Idempotency::with_settings(shop.once.store().clone(), Settings::default().cache(1 << 20));
    for known in [false, false, true] {
        if known {
            forget_in_the_table(&shop).await;
        }
        let request = other.request("charge", "key-1").unwrap().tenant(CHARGE.user).fingerprint(&CHARGE);
        let again = request.transaction(async |tx| Ok::<_, ChargeError>(shop.effect(tx, &CHARGE).await?));
        assert!(again.await.unwrap().replayed());
    }
}

#[tokio::test]
async fn it_forgets_with_the_table() {
    let settings = Settings::default().cache(1 << 20).ttl(Duration::from_millis(1));
    let shop = Shop::with_settings(settings).await;
    for _ in 0..2 {
        assert!(!shop.charge("key-1", CHARGE).await.unwrap().replayed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_settings_bound_entries_and_bytes() {
    let answered_from_memory = async |settings: Settings| {
        let shop = Shop::with_settings(settings).await;
        let keys = ["key-1", "key-2", "key-3", "key-4"];
        for key in keys {
            shop.charge(key, CHARGE).await.unwrap().into_inner();
        }
        forget_in_the_table(&shop).await;
        let mut kept = 0;
        for key in keys {
            // What is not kept is not kept by asking, either.
            let request = shop.once.request("charge", key).unwrap().tenant(CHARGE.user).fingerprint(&CHARGE);
            let again = request.transaction(async |_| Err::<Charged, _>(ChargeError::NotStarted)).await;
            kept += u32::from(again.is_ok_and(|outcome| outcome.replayed()));
        }
        kept
    };
    assert_eq!(answered_from_memory(Settings::default().cache(1 << 20)).await, 4);
    let few = Settings::default().cache(1 << 20).cache_entries(2);
    assert!((1..=2).contains(&answered_from_memory(few).await));
    let small = Settings::default().cache(2 * 250);
    assert!((1..=2).contains(&answered_from_memory(small).await));
}
