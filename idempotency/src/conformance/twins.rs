use std::{sync::Arc, time::Duration};

use sqlx::Database;
use tokio::{sync::Notify, time::Instant};

use super::{Counter, Shop, ShopError};
use crate::{Idempotency, IdempotencyError, Settings, TransactionalStore};

pub async fn of_a_hundred_twins_one_runs<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    let process = shop.once.clone();
    assert_eq!(twins(&shop, &[process], 100).await, 1);
    assert_eq!((shop.runs(), shop.effects().await), (1, 1));
}

pub async fn twins_in_two_processes_have_one_effect<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    let processes = [shop.once.clone(), shop.other_process(), shop.other_process()];
    assert_eq!(twins(&shop, &processes, 60).await, 1);
    assert_eq!((shop.runs(), shop.effects().await), (1, 1));
}

/// Sends one request `count` times at once, and answers how often it was not a replay.
async fn twins<S>(shop: &Arc<Shop<S>>, processes: &[Idempotency<S>], count: usize) -> u32
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    let tasks: Vec<_> = processes
        .iter()
        .cycle()
        .take(count)
        .map(|process| {
            let (shop, process) = (Arc::clone(shop), process.clone());
            tokio::spawn(async move { shop.charge_in(&process, "key", 5).await.unwrap() })
        })
        .collect();
    let mut first = 0;
    for task in tasks {
        let outcome = task.await.unwrap();
        assert_eq!(outcome.payload().as_bytes(), b"1");
        first += u32::from(!outcome.replayed());
    }
    first
}

pub async fn a_twin_in_another_process_waits_for_the_answer<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    let at_work = Notify::new();
    let request = shop.once.request("charge", "key").unwrap().tenant("tenant 1").fingerprint(&5);
    let first = request.transaction(async |tx| {
        let run = shop.effect(tx).await?;
        at_work.notify_one();
        tokio::time::sleep(Duration::from_millis(200)).await;
        Ok::<_, ShopError>(run)
    });
    let other = shop.other_process();
    let twin = async {
        at_work.notified().await;
        shop.charge_in(&other, "key", 5).await
    };
    let (first, twin) = tokio::join!(first, twin);
    assert_eq!(first.unwrap().payload(), twin.unwrap().payload());
    assert_eq!((shop.runs(), shop.effects().await), (1, 1));
}

pub async fn a_twin_that_may_not_wait_is_told_at_once<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    let request = shop.once.request("charge", "key").unwrap().tenant("tenant 1").fingerprint(&5);
    let first = request.transaction(async |tx| {
        let run = shop.effect(tx).await?;
        // Not on SQLite, where a second writer waits for the first, whatever its key.
        let processes = if S::Database::NAME == "SQLite" { 1 } else { 2 };
        let no_wait = Settings::default().wait(Duration::ZERO);
        for process in [&shop.once, &shop.process_with(no_wait)].into_iter().take(processes) {
            let twin = process.request("charge", "key").unwrap().tenant("tenant 1").fingerprint(&5);
            let begun = Instant::now();
            let told = twin.wait(Duration::ZERO).transaction(async |tx| shop.effect(tx).await).await;
            assert!(
                matches!(told, Err(ShopError::Idempotency(IdempotencyError::InFlight { .. }))),
                "{told:?}"
            );
            assert!(begun.elapsed() < Duration::from_secs(5), "it waited");
        }
        Ok::<_, ShopError>(run)
    });
    first.await.unwrap().into_inner();
    assert_eq!((shop.runs(), shop.effects().await), (1, 1));
}

/// Work that fails a fifth of the time, on few keys, from several processes: the others run instead.
pub async fn failures_among_twins_reach_nobody_else<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    const KEYS: usize = 40;
    let patient = Settings::default().wait(Duration::from_secs(30));
    let processes: Vec<_> = (0..4).map(|_| shop.process_with(patient.clone())).collect();
    let tasks: Vec<_> = (0..8_usize)
        .map(|task| {
            let (shop, process) = (Arc::clone(&shop), processes[task % processes.len()].clone());
            tokio::spawn(async move {
                for i in 0..KEYS {
                    let key = format!("key-{i}");
                    let fails = (i + task) % 5 == 0;
                    let request = process.request("charge", &key).unwrap();
                    let ended = request
                        .transaction(async |tx| {
                            shop.effect(tx).await?;
                            tokio::time::sleep(Duration::from_millis(1)).await;
                            if fails { Err(ShopError::RolledBack) } else { Ok(1) }
                        })
                        .await;
                    assert!(matches!(ended, Ok(_) | Err(ShopError::RolledBack)), "{ended:?}");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(shop.effects().await, i64::try_from(KEYS).unwrap());
}
