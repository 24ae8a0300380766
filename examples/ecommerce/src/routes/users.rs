use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::App;
use crate::error::{ErrorCode, Refusal, ShopError};
use crate::http::{IdempotencyKeyHeader, Json, Path, Replayable};
use crate::model::{Amount, UserId};
use crate::usecase::charge::{Charge, Charged};
use crate::usecase::users;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserBody {
    user_id: UserId,
    username: String,
    email: String,
    balance: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BalanceBody {
    user_id: UserId,
    balance: i64,
}

/// The fields are read one by one, so that each gets an error code of its own.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChargeBody {
    amount: Option<Value>,
    idempotency_key: Option<Value>,
}

pub(super) async fn show(
    State(app): State<App>,
    Path(id): Path<UserId>,
) -> Result<Json<UserBody>, ShopError> {
    let user = users::find(app.database(), id).await?;
    Ok(Json(UserBody { user_id: user.id, username: user.username, email: user.email, balance: user.balance }))
}

pub(super) async fn balance(
    State(app): State<App>,
    Path(id): Path<UserId>,
) -> Result<Json<BalanceBody>, ShopError> {
    let user = users::find(app.database(), id).await?;
    Ok(Json(BalanceBody { user_id: user.id, balance: user.balance }))
}

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
