use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::App;
use crate::error::{ErrorCode, Refusal, ShopError};
use crate::http::{IdempotencyKeyHeader, Json, Query, Replayable};
use crate::model::{CouponId, OrderStatus, ProductId, Quantity, UserId};
use crate::usecase::orders::{self, Basket, BasketLine, Order, PlaceOrder};

/// The quantity and the key are read by themselves, so that each gets an error code of its own.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderBody {
    user_id: UserId,
    items: Vec<ItemBody>,
    coupon_id: Option<CouponId>,
    pub(super) idempotency_key: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemBody {
    product_id: ProductId,
    quantity: Option<Value>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrdersBody {
    orders: Vec<Order>,
    total_count: usize,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filter {
    user_id: UserId,
    status: Option<OrderStatus>,
}

impl OrderBody {
    pub(super) fn read(&self) -> Result<PlaceOrder, Refusal> {
        let lines = self.items.iter().map(|item| {
            let quantity = Quantity::from_json(item.quantity.as_ref()).ok_or(ErrorCode::InvalidQuantity)?;
            Ok(BasketLine { product: item.product_id, quantity })
        });
        let lines = lines.collect::<Result<Vec<_>, Refusal>>()?;
        Ok(PlaceOrder { user_id: self.user_id, basket: Basket::merge(lines)?, coupon_id: self.coupon_id })
    }
}

pub(super) async fn place(
    State(app): State<App>,
    header: IdempotencyKeyHeader,
    Json(body): Json<OrderBody>,
) -> Result<Replayable<Order>, ShopError> {
    let request = body.read()?;
    let key = header.or_body(body.idempotency_key.as_ref())?;
    let desk = app.orders().clone();
    let outcome = app.tasks().run("order", async move { desk.place(request, &key).await }).await?;
    Ok(Replayable::new(StatusCode::CREATED, outcome))
}

pub(super) async fn list(
    State(app): State<App>,
    Query(filter): Query<Filter>,
) -> Result<Json<OrdersBody>, ShopError> {
    let orders = orders::list(app.database(), filter.user_id, filter.status).await?;
    Ok(Json(OrdersBody { total_count: orders.len(), orders }))
}
