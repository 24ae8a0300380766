use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use sqlx::Acquire;

use super::{Counter, Shop, ShopError};
use crate::{Claimed, IdempotencyError, Payload, Settings, Settled, TransactionalStore};

pub async fn a_repeat_is_answered_byte_for_byte<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    let first = shop.charge("key").await.unwrap();
    let again = shop.charge("key").await.unwrap();
    assert_eq!((first.replayed(), again.replayed()), (false, true));
    assert_eq!(first.payload().as_bytes(), b"1");
    assert_eq!(first.payload(), again.payload());
    assert_eq!((again.into_inner(), shop.runs(), shop.effects().await), (1, 1, 1));
}

pub async fn another_process_is_answered_from_the_table<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    let first = shop.charge("key").await.unwrap();
    let other = shop.other_process();
    // Twice: a process that has never seen the key, and one that has.
    for _ in 0..2 {
        let again = shop.charge_in(&other, "key", 5).await.unwrap();
        assert!(again.replayed());
        assert_eq!(first.payload(), again.payload());
    }
    assert_eq!((shop.runs(), shop.effects().await), (1, 1));
}

pub async fn a_key_is_bound_to_its_request<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    shop.charge("key").await.unwrap().into_inner();
    for process in [&shop.once, &shop.other_process()] {
        let other = shop.charge_in(process, "key", 6).await;
        assert!(matches!(other, Err(ShopError::Idempotency(IdempotencyError::Mismatch))), "{other:?}");
    }
    let elsewhere = shop.once.request("refund", "key").unwrap().tenant("tenant 1");
    assert!(!elsewhere.transaction(async |tx| shop.effect(tx).await).await.unwrap().replayed());
    let someone_else = shop.once.request("charge", "key").unwrap().tenant("tenant 2");
    assert!(!someone_else.transaction(async |tx| shop.effect(tx).await).await.unwrap().replayed());
}

pub async fn a_refusal_undoes_the_effect_and_is_replayed<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    let first = shop.fail("key", ShopError::Refused("balance short".into())).await;
    assert!(matches!(first, ShopError::Refused(_)));
    for process in [&shop.once, &shop.other_process()] {
        let again = shop.charge_in(process, "key", 5).await;
        assert!(matches!(again, Err(ShopError::Refused(why)) if why == "balance short"));
    }
    assert_eq!((shop.runs(), shop.effects().await), (1, 0));
}

pub async fn failed_work_is_undone_and_may_run_again<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    for _ in 0..2 {
        assert!(matches!(shop.fail("key", ShopError::RolledBack).await, ShopError::RolledBack));
        assert_eq!(shop.effects().await, 0);
    }
    let other = shop.charge_in(&shop.once, "key", 6).await;
    assert!(matches!(other, Err(ShopError::Idempotency(IdempotencyError::Mismatch))), "{other:?}");
    assert!(!shop.charge("key").await.unwrap().replayed());
    assert_eq!((shop.runs(), shop.effects().await), (3, 1));
}

pub async fn work_that_did_not_start_leaves_nothing<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    assert!(matches!(shop.fail("key", ShopError::NotStarted).await, ShopError::NotStarted));
    assert!(S::Database::columns(&shop.pool).await.is_empty());
    assert!(!shop.charge_in(&shop.once, "key", 6).await.unwrap().replayed(), "the key is bound to nothing");
    assert_eq!(shop.effects().await, 1);
}

pub async fn work_that_may_have_been_applied_never_runs_again<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    let brief = shop.process_with(Settings::default().ttl(Duration::from_millis(1)));
    for process in [&shop.once, &brief] {
        let key = format!("key-{}", shop.runs());
        let request = process.request("charge", &key).unwrap().tenant("tenant 1").fingerprint(&5);
        let ended = request.transaction(async |tx| {
            shop.effect(tx).await?;
            Err::<u32, _>(ShopError::MaybeApplied)
        });
        assert!(matches!(ended.await, Err(ShopError::MaybeApplied)));
        // Neither now nor when its time is over.
        tokio::time::sleep(Duration::from_millis(20)).await;
        for process in [&shop.once, &shop.other_process()] {
            let again = shop.charge_in(process, &key, 5).await;
            assert!(matches!(again, Err(ShopError::Idempotency(IdempotencyError::Unknown))), "{again:?}");
        }
    }
    assert_eq!((shop.runs(), shop.effects().await), (2, 0));
}

pub async fn work_that_ended_its_transaction_and_may_have_been_applied_never_runs_again<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    let request = shop.once.request("charge", "key").unwrap().tenant("tenant 1").fingerprint(&5);
    let ended = request.transaction(async |tx| {
        shop.effect(tx).await?;
        S::Database::end(tx).await?;
        Err::<u32, _>(ShopError::MaybeApplied)
    });
    assert!(matches!(ended.await, Err(ShopError::MaybeApplied)));
    for process in [&shop.once, &shop.other_process()] {
        let again = shop.charge_in(process, "key", 5).await;
        assert!(matches!(again, Err(ShopError::Idempotency(IdempotencyError::Unknown))), "{again:?}");
    }
    assert_eq!((shop.runs(), shop.effects().await), (1, 0));
    // Its connection is as good as before.
    for key in ["other-1", "other-2"] {
        shop.charge(key).await.unwrap().into_inner();
    }
    assert_eq!(shop.effects().await, 2);
}

pub async fn a_response_over_the_limit_undoes_the_effect<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    let small = shop.process_with(Settings::default().max_response(0));
    let charged = shop.charge_in(&small, "key", 5).await;
    let Err(ShopError::Idempotency(IdempotencyError::ResponseTooLarge { size: 1, limit: 0 })) = charged
    else {
        panic!("{charged:?}")
    };
    assert_eq!(shop.effects().await, 0);
    assert!(!shop.charge("key").await.unwrap().replayed(), "a smaller response may take its place");
}

pub async fn a_nested_transaction_is_a_savepoint<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    let request = shop.once.request("charge", "key").unwrap();
    let nested = request.transaction(async |tx| {
        shop.effect(tx).await?;
        let mut undone = tx.begin().await?;
        S::Database::add(&mut undone).await?;
        undone.rollback().await?;
        let mut kept = tx.begin().await?;
        S::Database::add(&mut kept).await?;
        kept.commit().await?;
        Ok::<_, ShopError>(0)
    });
    nested.await.unwrap().into_inner();
    assert_eq!(shop.effects().await, 2);

    let request = shop.once.request("charge", "other").unwrap();
    let failed = request.transaction(async |tx| {
        let mut kept = tx.begin().await?;
        S::Database::add(&mut kept).await?;
        kept.commit().await?;
        Err::<u32, _>(ShopError::RolledBack)
    });
    failed.await.unwrap_err();
    assert_eq!(shop.effects().await, 2, "what is nested is undone with the rest");
}

pub async fn work_that_panics_leaves_nothing<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    let request = shop.once.request("charge", "key").unwrap().tenant("tenant 1").fingerprint(&5);
    let panicking = request.transaction(async |tx| -> Result<u32, ShopError> {
        shop.effect(tx).await?;
        panic!("the work panics, as it should in this test");
    });
    assert!(std::panic::AssertUnwindSafe(panicking).catch_unwind().await.is_err());
    assert!(!shop.charge("key").await.unwrap().replayed());
    assert_eq!((shop.runs(), shop.effects().await), (2, 1));
}

pub async fn leased_work_may_end_in_a_transaction<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    let request = shop.once.request("pay", "key").unwrap().lease(Duration::from_secs(60));
    let paid = request.run(async |held| {
        let mut tx = shop.pool.begin().await?;
        S::Database::add(&mut tx).await?;
        held.complete_in(&mut tx, &7).await?;
        tx.commit().await?;
        Ok::<_, ShopError>(7)
    });
    assert!(!paid.await.unwrap().replayed());
    let request = shop.other_process();
    let again = request.request("pay", "key").unwrap().lease(Duration::from_secs(60));
    let again = again.run(async |_| Ok::<_, ShopError>(8)).await.unwrap();
    assert_eq!((again.replayed(), again.into_inner(), shop.effects().await), (true, 7, 1));

    // A transaction that is rolled back leaves the key to the end of the work.
    let request = shop.once.request("pay", "other").unwrap().lease(Duration::from_secs(60));
    let paid = request.run(async |held| {
        let mut tx = shop.pool.begin().await?;
        S::Database::add(&mut tx).await?;
        held.complete_in(&mut tx, &7).await?;
        tx.rollback().await?;
        Ok::<_, ShopError>(9)
    });
    assert_eq!((paid.await.unwrap().into_inner(), shop.effects().await), (9, 1));
}

pub async fn leased_work_left_behind_is_unknown_to_a_transaction<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    let lease = Duration::from_millis(60);
    let request = shop.once.request("charge", "key").unwrap().tenant("tenant 1").fingerprint(&5);
    let crashed = request.lease(lease).run(async |_| {
        std::future::pending::<()>().await;
        Ok::<_, ShopError>(0)
    });
    let _ = tokio::time::timeout(lease / 3, crashed).await;
    while shop.once.admin().stuck(1).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut tx = shop.pool.begin().await.unwrap();
    let request = shop.once.request("charge", "key").unwrap().tenant("tenant 1").fingerprint(&5);
    let claimed = request.claim_in::<u32, ShopError>(&mut tx).await;
    assert!(matches!(claimed, Err(ShopError::Idempotency(IdempotencyError::Unknown))));
    tx.rollback().await.unwrap();

    for process in [&shop.once, &shop.other_process()] {
        let again = shop.charge_in(process, "key", 5).await;
        assert!(matches!(again, Err(ShopError::Idempotency(IdempotencyError::Unknown))), "{again:?}");
    }
    let stuck = shop.once.admin().stuck(10).await.unwrap();
    assert!(matches!(&stuck[..], [key] if key.unknown), "{stuck:?}");
    assert_eq!(shop.once.admin().release(&stuck[0]).await.unwrap(), Settled::Written);
    assert!(!shop.charge("key").await.unwrap().replayed());
    assert_eq!((shop.runs(), shop.effects().await), (1, 1));
}

pub async fn a_key_may_live_in_a_transaction_of_the_callers<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    for commits in [false, true] {
        let mut tx = shop.pool.begin().await.unwrap();
        let request = shop.once.request("charge", "key").unwrap().fingerprint(&5);
        let claimed = request.claim_in::<u32, ShopError>(&mut tx).await.unwrap();
        let Claimed::Started(key) = claimed else { panic!("what was rolled back was not kept") };
        S::Database::add(&mut tx).await.unwrap();
        assert_eq!(key.complete(&mut tx, 7_u32).await.unwrap().payload().as_bytes(), b"7");
        if commits {
            tx.commit().await.unwrap();
        } else {
            tx.rollback().await.unwrap();
        }
    }
    let mut tx = shop.pool.begin().await.unwrap();
    let request = shop.once.request("charge", "key").unwrap().fingerprint(&5);
    let claimed = request.claim_in::<u32, ShopError>(&mut tx).await.unwrap();
    assert!(matches!(claimed, Claimed::Replayed(outcome) if outcome.replayed() && *outcome.response() == 7));
    let request = shop.once.request("charge", "key").unwrap().fingerprint(&6);
    let other = request.claim_in::<u32, ShopError>(&mut tx).await;
    assert!(matches!(other, Err(ShopError::Idempotency(IdempotencyError::Mismatch))));
    let request = shop.once.request("charge", "refused").unwrap();
    let claimed = request.claim_in::<u32, ShopError>(&mut tx).await.unwrap();
    let Claimed::Started(key) = claimed else { panic!("not started") };
    key.refuse(&mut tx, Payload::json(&"sold out").unwrap()).await.unwrap();
    tx.commit().await.unwrap();
    let request = shop.once.request("charge", "refused").unwrap();
    let refused = request.transaction(async |tx| shop.effect(tx).await).await;
    assert!(matches!(refused, Err(ShopError::Refused(why)) if why == "sold out"));
    assert_eq!(shop.effects().await, 1);
}

pub async fn people_can_read_the_table<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    shop.charge("Key-1").await.unwrap().into_inner();
    let rows = S::Database::columns(&shop.pool).await;
    let expected = ["Key-1", "tenant 1", "charge", "COMPLETED"].map(str::to_owned);
    assert_eq!(rows, [expected.into()]);
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(shop.once.store().sweep(Duration::ZERO, 10).await.unwrap(), 0, "kept for its time");
}
