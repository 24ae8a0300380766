//! An answer is one once it is stored, and not before.

#![allow(clippy::panic, clippy::unwrap_used)]

mod support;

use std::time::Duration;

use idempotency::{IdempotencyError, Settings};
use support::{CHARGE, ChargeError, Charged, Shop};

#[tokio::test]
async fn a_refusal_under_a_lease_that_could_not_be_stored_is_not_answered() {
    let shop = Shop::open().await;
    let leased =
        shop.once.request("charge", "key").unwrap().fingerprint(&CHARGE).lease(Duration::from_secs(60));
    let refused = leased.run(async |_| {
        shop.pool.close().await;
        Err::<Charged, _>(ChargeError::Refused("sold out".into()))
    });
    let error = refused.await.unwrap_err();
    assert!(matches!(&error, ChargeError::Idempotency(IdempotencyError::NotRecorded(_))), "{error:?}");
}

#[tokio::test]
async fn another_failure_is_what_the_caller_has_to_know() {
    let shop = Shop::open().await;
    let leased =
        shop.once.request("charge", "key").unwrap().fingerprint(&CHARGE).lease(Duration::from_secs(60));
    let failed = leased.run(async |_| {
        shop.pool.close().await;
        Err::<Charged, _>(ChargeError::RolledBack)
    });
    assert!(matches!(failed.await.unwrap_err(), ChargeError::RolledBack));
}

#[tokio::test]
async fn leased_work_stores_no_answer_beyond_the_limit_in_its_transaction() {
    let shop = Shop::with_settings(Settings::default().max_response(3)).await;
    let leased =
        shop.once.request("charge", "key").unwrap().fingerprint(&CHARGE).lease(Duration::from_secs(60));
    let done = leased.run(async |lease| {
        let mut tx = shop.pool.begin().await?;
        let charged = shop.effect(&mut tx, &CHARGE).await?;
        lease.complete_in(&mut tx, &charged).await?;
        tx.commit().await?;
        Ok::<_, ChargeError>(charged)
    });
    let error = done.await.unwrap_err();
    let too_large =
        matches!(&error, ChargeError::Idempotency(IdempotencyError::ResponseTooLarge { limit: 3, .. }));
    assert!(too_large, "{error:?}");
    assert_eq!(shop.balance(CHARGE.user).await, 0);
}
