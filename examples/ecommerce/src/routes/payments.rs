use axum::extract::State;
use axum::http::StatusCode;
use idempotency::IdempotencyKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::orders::OrderBody;
use crate::app::App;
use crate::error::{ErrorCode, ShopError};
use crate::http::{IdempotencyKeyHeader, Json, Path, Replayable};
use crate::model::{OrderId, OrderStatus, UserId};
use crate::usecase::orders::Order;
use crate::usecase::payments::Paid;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentBody {
    user_id: UserId,
    idempotency_key: Option<Value>,
}

#[derive(Debug, Serialize)]
pub(super) struct CompletedBody {
    order: Order,
    payment: Paid,
}

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
pub(super) async fn complete(
    State(app): State<App>,
    header: IdempotencyKeyHeader,
    Json(body): Json<OrderBody>,
) -> Result<(StatusCode, Json<CompletedBody>), ShopError> {
    let request = body.read()?;
    let user = request.user_id;
    let key = match header.optional_or_body(body.idempotency_key.as_ref())? {
        Some(key) => key,
        None => IdempotencyKey::new(Uuid::new_v4().to_string()).map_err(|_| ErrorCode::Internal)?,
    };
    let (orders, payments) = (app.orders().clone(), app.payments().clone());
    let work = async move {
        let mut order = orders.place(request, &key).await?.into_inner();
        let payment = payments.pay(order.order_id, user, &key).await?.into_inner();
        order.status = OrderStatus::Completed;
        Ok(CompletedBody { order, payment })
    };
    let completed = app.tasks().run("order_and_payment", work).await?;
    Ok((StatusCode::CREATED, Json(completed)))
}
