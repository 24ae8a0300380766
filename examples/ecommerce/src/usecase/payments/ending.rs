use serde::Serialize;
use uuid::Uuid;

use super::paid::Paid;
use super::payable::Payable;
use crate::error::ShopError;
use crate::model::{OrderId, PaymentStatus, Timestamp, UserId};
use crate::store::outbox::{self, NewEvent};
use crate::store::payments::{self, PaymentRow};
use crate::store::{Conn, orders, products, sales, users};

/// The second transaction, when the gateway approved: the order is paid, the sales are counted, and others will be told.
///
/// Answers nothing when somebody else has ended the payment meanwhile.
pub(super) async fn settle(
    conn: &mut Conn<'_>,
    payable: &Payable,
    payment: &PaymentRow,
) -> Result<Option<Paid>, ShopError> {
    let now = Timestamp::now();
    if !payments::end(conn, &payment.payment_id, PaymentStatus::Settled, now).await? {
        return Ok(None);
    }
    if !orders::mark_paid(conn, payment.order_id, now).await? {
        return Err(ShopError::Internal { what: "an order with a standing payment was not waiting for it" });
    }
    for item in &payable.items {
        sales::count(conn, now.day(), item.product_id, item.quantity, item.subtotal).await?;
    }
    outbox::insert(conn, &order_paid(payable, payment, now)?).await?;
    Ok(Some(Paid::new(payment, now)))
}

/// The second transaction, when the gateway declined or never heard of it: stock and balance are given back.
///
/// Does nothing when somebody else has ended the payment meanwhile.
pub(super) async fn give_back(
    conn: &mut Conn<'_>,
    payable: &Payable,
    payment: &PaymentRow,
) -> Result<(), ShopError> {
    if payments::end(conn, &payment.payment_id, PaymentStatus::Returned, Timestamp::now()).await? {
        for item in &payable.items {
            products::give_back(conn, item.product_id, item.quantity).await?;
        }
        users::give_back(conn, payment.user_id, payment.amount).await?;
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderPaid<'a> {
    event_id: &'a str,
    order_id: OrderId,
    order_number: &'a str,
    user_id: UserId,
    paid_amount: i64,
    paid_at: Timestamp,
}

fn order_paid(payable: &Payable, payment: &PaymentRow, at: Timestamp) -> Result<NewEvent, ShopError> {
    let event_id = Uuid::new_v4().to_string();
    let payload = serde_json::to_string(&OrderPaid {
        event_id: &event_id,
        order_id: payment.order_id,
        order_number: &payable.order.order_number,
        user_id: payment.user_id,
        paid_amount: payment.amount,
        paid_at: at,
    });
    let payload = payload.map_err(|_| ShopError::Internal { what: "an event has no JSON form" })?;
    Ok(NewEvent { event_id, event_type: "ORDER_PAID", order_id: payment.order_id, payload, at })
}
