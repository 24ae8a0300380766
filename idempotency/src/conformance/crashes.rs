use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use super::{Counter, Shop};
use crate::TransactionalStore;

/// More awaits than a request has.
const MANY: usize = 200;

/// Polls a future until it has been pending `awaits` times, then drops it; tells whether it had ended before.
async fn drop_after<F: Future>(awaits: usize, future: F) -> bool {
    let mut left = awaits;
    let mut future = pin!(future);
    poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(true),
        Poll::Pending if left == 0 => Poll::Ready(false),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

pub async fn a_request_dropped_at_any_await_leaves_all_or_nothing<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    for awaits in 0..MANY {
        let key = format!("key-{awaits}");
        let before = shop.effects().await;
        let ended = drop_after(awaits, shop.charge(&key)).await;
        let outcome = shop.charge(&key).await.unwrap();
        assert!(outcome.replayed() || !ended, "a request that has ended is replayed");
        assert_eq!(shop.effects().await, before + 1, "after {awaits} awaits");
        if ended {
            return;
        }
    }
    panic!("a request has fewer awaits");
}

pub async fn a_request_dropped_at_any_await_leaves_its_connection_fit<S>(shop: Arc<Shop<S>>)
where
    S: TransactionalStore<Database: Counter> + Clone,
{
    for awaits in 0..MANY {
        let ended = drop_after(awaits, shop.charge(&format!("key-{awaits}"))).await;
        let before = shop.effects().await;
        // On every connection of the pool: what is written there outside any transaction is there to stay.
        let mut connections = Vec::new();
        while let Some(connection) = shop.pool.try_acquire() {
            connections.push(connection);
        }
        for connection in &mut connections {
            S::Database::add(connection).await.unwrap();
        }
        let written = i64::try_from(connections.len()).unwrap();
        drop(connections);
        let late = shop.effects().await - before - written;
        assert!((0..=1).contains(&late), "after {awaits} awaits {late} writes too many");
        if ended {
            return;
        }
    }
    panic!("a request has fewer awaits");
}
