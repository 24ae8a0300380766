use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::App;
use crate::error::{ErrorCode, Refusal, ShopError};
use crate::http::{IdempotencyKeyHeader, Json, Path, Replayable, errors};
use crate::model::{Amount, UserId};
use crate::usecase::charge::{Charge, Charged};
use crate::usecase::users;

errors!(UserErrors: InvalidInput, UserNotFound);
errors!(BalanceErrors: InvalidInput, UserNotFound);
errors!(ChargeErrors: UserNotFound, InvalidAmount, KeyReused, Busy, InvalidInput, BodyTooLarge, UnsupportedMediaType);

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserBody {
    user_id: UserId,
    username: String,
    email: String,
    balance: i64,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BalanceBody {
    user_id: UserId,
    balance: i64,
}

// The fields are read one by one, so that each gets an error code of its own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChargeBody {
    #[schema(value_type = i64, minimum = 1)]
    amount: Option<Value>,
    /// It may be in the header instead.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    idempotency_key: Option<Value>,
}

#[utoipa::path(
    get,
    path = "/users/{id}",
    operation_id = "user",
    summary = "The user",
    params(("id" = UserId, Path)),
    responses((status = 200, body = UserBody, description = "Done"), UserErrors)
)]
pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<UserId>,
) -> Result<Json<UserBody>, ShopError> {
    let user = users::find(app.database(), id).await?;
    Ok(Json(UserBody { user_id: user.id, username: user.username, email: user.email, balance: user.balance }))
}

#[utoipa::path(
    get,
    path = "/users/{id}/balance",
    operation_id = "balance",
    summary = "The balance of a user",
    params(("id" = UserId, Path)),
    responses((status = 200, body = BalanceBody, description = "Done"), BalanceErrors)
)]
pub(super) async fn balance(
    State(app): State<App>,
    Path(id): Path<UserId>,
) -> Result<Json<BalanceBody>, ShopError> {
    let user = users::find(app.database(), id).await?;
    Ok(Json(BalanceBody { user_id: user.id, balance: user.balance }))
}

#[utoipa::path(
    post,
    path = "/users/{id}/balance/charge",
    operation_id = "charge",
    summary = "Charges a balance, once per key",
    params(("id" = UserId, Path), IdempotencyKeyHeader),
    request_body = ChargeBody,
    responses((status = 200, body = Charged, description = "Done"), ChargeErrors)
)]
pub(super) async fn charge(
    State(app): State<App>,
    Path(user_id): Path<UserId>,
    header: IdempotencyKeyHeader,
    Json(body): Json<ChargeBody>,
) -> Result<Replayable<Charged>, ShopError> {
    let amount = Amount::from_json(body.amount.as_ref())
        .map_err(|invalid| Refusal::because(ErrorCode::InvalidAmount, invalid.to_string()))?;
    let key = header.or_body(body.idempotency_key.as_ref())?;
    let wallet = app.wallet().clone();
    let charge = Charge { user_id, amount };
    let outcome = app.tasks().run("charge", async move { wallet.charge(charge, &key).await }).await?;
    Ok(Replayable::new(StatusCode::OK, outcome))
}
