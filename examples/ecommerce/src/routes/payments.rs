use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use idempotency::IdempotencyKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::orders::OrderBody;
use crate::app::App;
use crate::error::{ErrorCode, ShopError};
use crate::http::{IdempotencyKeyHeader, Json, Path, REPLAYED, Replayable, errors};
use crate::model::{OrderId, OrderStatus, UserId};
use crate::usecase::orders::Order;
use crate::usecase::payments::Paid;

errors!(PayErrors: OrderNotFound, OrderNotPending, StockShort, BalanceShort, PaymentDeclined, PaymentUnknown, KeyReused, Busy, InvalidInput, BodyTooLarge, UnsupportedMediaType);
errors!(PlaceAndPayErrors: UserNotFound, ProductNotFound, InvalidQuantity, InvalidCoupon, CouponExpired, StockShort, BalanceShort, OrderNotPending, PaymentDeclined, PaymentUnknown, KeyReused, Busy, InvalidInput, BodyTooLarge, UnsupportedMediaType);

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentBody {
    user_id: UserId,
    /// It may be in the header instead.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    idempotency_key: Option<Value>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CompletedBody {
    order: Order,
    payment: Paid,
}

#[utoipa::path(
    post,
    path = "/orders/{id}/payment",
    operation_id = "pay",
    summary = "Pays an order, once per key",
    params(("id" = OrderId, Path), IdempotencyKeyHeader),
    request_body = PaymentBody,
    responses((status = 200, body = Paid, description = "Done"), PayErrors)
)]
pub(super) async fn pay(
    State(app): State<App>,
    Path(order): Path<OrderId>,
    header: IdempotencyKeyHeader,
    Json(body): Json<PaymentBody>,
) -> Result<Replayable<Paid>, ShopError> {
    let key = header.or_body(body.idempotency_key.as_ref())?;
    let desk = app.payments().clone();
    let work = async move { desk.pay(order, body.user_id, &key).await };
    Ok(Replayable::new(StatusCode::OK, app.tasks().run("payment", work).await?))
}

/// Orders and pays at once. The key is optional here: without one, each request is a new order.
#[utoipa::path(
    post,
    path = "/orders/complete",
    operation_id = "placeAndPay",
    summary = "Makes an order and pays it; once per key, if there is one",
    params(IdempotencyKeyHeader),
    request_body = OrderBody,
    responses((status = 201, body = CompletedBody, description = "Done"), PlaceAndPayErrors)
)]
pub(super) async fn complete(
    State(app): State<App>,
    header: IdempotencyKeyHeader,
    Json(body): Json<OrderBody>,
) -> Result<impl IntoResponse, ShopError> {
    let request = body.read()?;
    let user = request.user_id;
    let key = match header.optional_or_body(body.idempotency_key.as_ref())? {
        Some(key) => key,
        None => IdempotencyKey::new(Uuid::new_v4().to_string()).map_err(|_| ErrorCode::Internal)?,
    };
    let (orders, payments) = (app.orders().clone(), app.payments().clone());
    let work = async move {
        let mut order = orders.place(request, &key).await?.into_inner();
        let payment = payments.pay(order.order_id, user, &key).await?;
        let replayed = payment.replayed().then_some(REPLAYED);
        order.status = OrderStatus::Completed;
        Ok((replayed, CompletedBody { order, payment: payment.into_inner() }))
    };
    let (replayed, completed) = app.tasks().run("order_and_payment", work).await?;
    Ok((StatusCode::CREATED, replayed, Json(completed)))
}
