use lock_core::FencingToken;
use uuid::Uuid;

use super::payable::Payable;
use crate::error::{ErrorCode, Refusal, ShopError};
use crate::model::{OrderStatus, PaymentStatus, Timestamp};
use crate::store::payments::{self, PaymentRow};
use crate::store::users::{self, NewBalance};
use crate::store::{Conn, orders, products};

/// The first transaction: takes stock and balance, and writes the payment down.
pub(super) async fn reserve(
    conn: &mut Conn<'_>,
    payable: &Payable,
    key: &str,
    token: Option<FencingToken>,
) -> Result<PaymentRow, ShopError> {
    // Read again under the lock: it may have been paid while we waited.
    let order = orders::find(conn, payable.order.id).await?.ok_or(ErrorCode::OrderNotFound)?;
    if order.status != OrderStatus::Pending {
        return Err(ErrorCode::OrderNotPending.into());
    }
    for item in &payable.items {
        if !products::take(conn, item.product_id, item.quantity).await? {
            let message = format!("there is not enough of {}", item.product_name);
            return Err(Refusal::because(ErrorCode::StockShort, message).into());
        }
    }
    let user = users::find(conn, order.user_id).await?.ok_or(ErrorCode::UserNotFound)?;
    let balance_after = user.balance - order.total_amount;
    if balance_after < 0 {
        return Err(ErrorCode::BalanceShort.into());
    }
    let fence = user.fence_under(token)?;
    if !users::set_balance(conn, &user, NewBalance { balance: balance_after, fence }).await? {
        return Err(ShopError::VersionConflict);
    }
    let payment = PaymentRow {
        payment_id: Uuid::new_v4().to_string(),
        order_id: order.id,
        user_id: order.user_id,
        amount: order.total_amount,
        balance_after,
        idempotency_key: key.to_owned(),
        status: PaymentStatus::Reserved,
        created_at: Timestamp::now(),
        settled_at: None,
    };
    match payments::insert(conn, &payment).await {
        // Another payment of this order waits for its answer.
        Err(error) if error.is_duplicate() => Err(ShopError::Busy),
        inserted => inserted.map(|()| payment).map_err(ShopError::from),
    }
}
