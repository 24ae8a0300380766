use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::{ErrorCode, Refusal, ShopError};
use crate::http::{IdempotencyKeyHeader, Json, Object, Query, Replayable, errors};
use crate::model::{CouponId, OrderStatus, ProductId, Quantity, UserId};
use crate::usecase::orders::{self, Basket, BasketLine, Order, PlaceOrder};

errors!(PlaceOrderErrors: UserNotFound, ProductNotFound, InvalidQuantity, InvalidCoupon, CouponExpired, StockShort, KeyReused, Busy, InvalidInput, BodyTooLarge, UnsupportedMediaType);
errors!(OrdersErrors: InvalidInput, UserNotFound);

// The quantity and the key are read by themselves, so that each gets an error code of its own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderBody {
    user_id: UserId,
    #[schema(value_type = Vec<ItemBody>)]
    items: Vec<Object<ItemBody>>,
    coupon_id: Option<CouponId>,
    /// It may be in the header instead.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    pub(super) idempotency_key: Option<Value>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OrderItemBody)]
pub(super) struct ItemBody {
    product_id: ProductId,
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000)]
    quantity: Option<Value>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrdersBody {
    orders: Vec<Order>,
    total_count: usize,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filter {
    user_id: UserId,
    status: Option<OrderStatus>,
}

impl OrderBody {
    pub(super) fn read(&self) -> Result<PlaceOrder, Refusal> {
        let lines = self.items.iter().map(|Object(item)| {
            let quantity = Quantity::from_json(item.quantity.as_ref()).ok_or(ErrorCode::InvalidQuantity)?;
            Ok(BasketLine { product: item.product_id, quantity })
        });
        let lines = lines.collect::<Result<Vec<_>, Refusal>>()?;
        Ok(PlaceOrder { user_id: self.user_id, basket: Basket::merge(lines)?, coupon_id: self.coupon_id })
    }
}

#[utoipa::path(
    post,
    path = "/orders",
    operation_id = "placeOrder",
    summary = "Makes an order that waits for its payment, once per key",
    params(IdempotencyKeyHeader),
    request_body = OrderBody,
    responses((status = 201, body = Order, description = "Done"), PlaceOrderErrors)
)]
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

#[utoipa::path(
    get,
    path = "/orders",
    operation_id = "orders",
    summary = "The orders of a user, the newest first",
    params(Filter),
    responses((status = 200, body = OrdersBody, description = "Done"), OrdersErrors)
)]
pub(super) async fn list(
    State(app): State<App>,
    Query(filter): Query<Filter>,
) -> Result<Json<OrdersBody>, ShopError> {
    let orders = orders::list(app.database(), filter.user_id, filter.status).await?;
    Ok(Json(OrdersBody { total_count: orders.len(), orders }))
}
