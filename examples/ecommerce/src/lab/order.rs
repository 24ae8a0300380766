use idempotency::IdempotencyKey;

use super::bench::Bench;
use super::turn::Turn;
use crate::error::ShopError;
use crate::model::UserId;
use crate::store::Conn;
use crate::usecase::orders::{self, PlaceOrder};

/// Makes an order behind the bench's defence.
pub(super) async fn place(bench: &Bench, user: UserId, key: &IdempotencyKey) -> Result<(), ShopError> {
    let order = PlaceOrder { user_id: user, basket: bench.stage.basket.clone(), coupon_id: None };
    if let Some(shop) = &bench.shop {
        return shop.orders.place(order, key).await.map(drop);
    }
    let turn = Turn::take(&bench.locks, bench.parts.locking, &format!("order:user:{user}"), key).await?;
    let placed = bench.tried("order", || place_once(bench, &order, key, &turn)).await;
    turn.end().await;
    placed
}

async fn place_once(
    bench: &Bench,
    order: &PlaceOrder,
    key: &IdempotencyKey,
    turn: &Turn,
) -> Result<(), ShopError> {
    let work = async |conn: &mut Conn<'_>| {
        orders::place(conn, order).await?;
        turn.before_commit().await;
        Ok(())
    };
    bench.effect("demo-order", key, order, work).await
}
