use idempotency::{IdempotencyKey, Outcome};
use serde::Serialize;
use uuid::Uuid;

use super::{Basket, Order, OrderItem};
use crate::error::{ErrorCode, Refusal, ShopError};
use crate::model::{CouponId, CouponStatus, OrderStatus, Timestamp, UserCouponId, UserId};
use crate::store::orders::{NewOrder, NewOrderItem};
use crate::store::products::ProductRow;
use crate::store::{Conn, Once, coupons, orders, products, users};
use crate::usecase::retried::retried;

/// What is asked for.
#[derive(Debug, Clone, Serialize)]
pub struct PlaceOrder {
    /// Who orders.
    pub user_id: UserId,
    /// What.
    pub basket: Basket,
    /// A coupon of the user's, to be used up.
    pub coupon_id: Option<CouponId>,
}

/// Takes orders. Cloning is cheap.
///
/// No lock is needed: nothing is taken from anybody yet, and of requests under one key the key's row lets one through.
#[derive(Debug, Clone)]
pub struct OrderDesk {
    once: Once,
}

impl OrderDesk {
    /// A desk on the shop's keys.
    pub fn new(once: Once) -> Self {
        Self { once }
    }

    /// Makes an order that waits for its payment, once per key. Stock is looked at, and taken when it is paid.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::UserNotFound`], [`ErrorCode::ProductNotFound`], [`ErrorCode::StockShort`],
    /// [`ErrorCode::InvalidCoupon`], [`ErrorCode::CouponExpired`], [`ErrorCode::KeyReused`], [`ErrorCode::Busy`], or
    /// the database is away.
    pub async fn place(
        &self,
        request: PlaceOrder,
        key: &IdempotencyKey,
    ) -> Result<Outcome<Order>, ShopError> {
        retried("order", || self.place_once(&request, key)).await
    }

    async fn place_once(
        &self,
        request: &PlaceOrder,
        key: &IdempotencyKey,
    ) -> Result<Outcome<Order>, ShopError> {
        let work = async |mut conn: Conn<'_>| place(&mut conn, request).await;
        self.once.run("order", key.clone(), request, work).await
    }
}

/// The effect itself, in the transaction of the key.
pub(crate) async fn place(conn: &mut Conn<'_>, request: &PlaceOrder) -> Result<Order, ShopError> {
    let PlaceOrder { user_id, basket, coupon_id } = request;
    users::find(conn, *user_id).await?.ok_or(ErrorCode::UserNotFound)?;
    let items = price(conn, basket).await?;
    let subtotal_amount: i64 = items.iter().map(|item| item.subtotal).sum();
    let created_at = Timestamp::now();
    let (user_coupon_id, discount_amount) = match coupon_id {
        None => (None, 0),
        Some(coupon) => {
            let (id, rate) = use_coupon(conn, *user_id, *coupon, created_at).await?;
            (Some(id), discount(subtotal_amount, rate))
        }
    };
    let order = NewOrder {
        order_number: order_number(),
        user_id: *user_id,
        user_coupon_id,
        subtotal_amount,
        discount_amount,
        total_amount: subtotal_amount - discount_amount,
        created_at,
    };
    let order_id = match orders::insert(conn, &order).await {
        // The number was another order's: with the next one it will work.
        Err(error) if error.is_duplicate() => return Err(ShopError::VersionConflict),
        inserted => inserted?,
    };
    let rows: Vec<_> = items.iter().map(new_item).collect();
    orders::insert_items(conn, order_id, &rows).await?;
    Ok(Order {
        order_id,
        user_id: order.user_id,
        order_number: order.order_number,
        items,
        subtotal_amount,
        discount_amount,
        total_amount: order.total_amount,
        status: OrderStatus::Pending,
        created_at,
    })
}

/// The lines at today's prices, if there is enough of everything at this moment.
async fn price(conn: &mut Conn<'_>, basket: &Basket) -> Result<Vec<OrderItem>, ShopError> {
    let ids = basket.products();
    let rows = products::of(conn, &ids).await?;
    if rows.len() < ids.len() {
        return Err(ErrorCode::ProductNotFound.into());
    }
    let stock = products::stock_of(conn, &ids).await?;
    let mut items = Vec::with_capacity(rows.len());
    for ProductRow { id, name, price, .. } in rows {
        let quantity = basket.pieces(id);
        if stock.get(&id).is_none_or(|stock| *stock < quantity) {
            return Err(
                Refusal::because(ErrorCode::StockShort, format!("there is not enough of {name}")).into()
            );
        }
        let subtotal = price.checked_mul(quantity).ok_or(ErrorCode::InvalidQuantity)?;
        items.push(OrderItem { product_id: id, product_name: name, quantity, unit_price: price, subtotal });
    }
    Ok(items)
}

async fn use_coupon(
    conn: &mut Conn<'_>,
    user: UserId,
    coupon: CouponId,
    now: Timestamp,
) -> Result<(UserCouponId, i64), ShopError> {
    let held = coupons::held(conn, user, coupon).await?.ok_or(ErrorCode::InvalidCoupon)?;
    if held.status == CouponStatus::Expired || held.expires_at < now {
        return Err(ErrorCode::CouponExpired.into());
    }
    if !coupons::mark_used(conn, held.id, now).await? {
        return Err(Refusal::because(ErrorCode::InvalidCoupon, "the coupon was used already").into());
    }
    Ok((held.id, held.discount_rate))
}

/// The part of a sum that a rate in percent is, rounded down.
fn discount(sum: i64, rate: i64) -> i64 {
    // In two steps, so that a sum near the limit does not overflow.
    sum / 100 * rate + sum % 100 * rate / 100
}

fn order_number() -> String {
    let random = Uuid::new_v4().simple().to_string();
    format!("ORDER-{}", &random[..8])
}

fn new_item(item: &OrderItem) -> NewOrderItem {
    let OrderItem { product_id, quantity, unit_price, subtotal, .. } = *item;
    NewOrderItem { product_id, quantity, unit_price, subtotal }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_discount_is_rounded_down() {
        assert_eq!(discount(29_000, 10), 2_900);
        assert_eq!(discount(99, 10), 9);
        assert_eq!(discount(199, 15), 29);
        assert_eq!(discount(1, 100), 1);
        assert_eq!(discount(i64::MAX, 100), i64::MAX);
    }

    #[test]
    fn an_order_number_has_eight_characters_after_its_prefix() {
        let number = order_number();
        assert!(number.starts_with("ORDER-") && number.len() == 14, "{number}");
    }
}
